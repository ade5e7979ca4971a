from __future__ import annotations

import re
from pathlib import Path

import pytest

from lsp_server.errors import PromptError
from lsp_server.inference.backend import Message
from lsp_server.prompting import catalog
from lsp_server.prompting.catalog import PromptCatalog, prompts_of, shipped_directory


@pytest.fixture
def prompts(tmp_path: Path) -> PromptCatalog:
    (tmp_path / "greet").mkdir()
    return PromptCatalog(tmp_path)


def write(prompts: PromptCatalog, text: str, name: str = "default") -> None:
    (prompts.directory / "greet" / f"{name}.md").write_text(text, encoding="utf-8")


def test_sections_become_messages(prompts: PromptCatalog) -> None:
    write(prompts, "[system]\nBe kind.\n[user]\nGreet {{ who }}.\n\n[assistant]\nHello")
    assert prompts.render("greet", "python", who="Ada") == (
        Message("system", "Be kind."),
        Message("user", "Greet Ada."),
        Message("assistant", "Hello"),
    )


def test_a_language_may_have_its_own_prompt(prompts: PromptCatalog) -> None:
    write(prompts, "[user]\ndefault")
    write(prompts, "[user]\nfor Rust", "rust")
    assert prompts.render("greet", "rust")[0].content == "for Rust"
    assert prompts.render("greet", "go")[0].content == "default"


def test_a_variable_that_is_not_given_is_an_error_that_names_it_and_the_file(prompts: PromptCatalog) -> None:
    write(prompts, "[user]\nGreet {{ whom }}.")
    with pytest.raises(PromptError, match=r"greet.default\.md.*whom"):
        prompts.render("greet", "python", who="Ada")


def test_even_a_condition_on_a_missing_variable_is_an_error(prompts: PromptCatalog) -> None:
    write(prompts, "[user]\n{% if related %}x{% endif %}")
    with pytest.raises(PromptError, match="related"):
        prompts.render("greet", "python")


def test_a_missing_prompt_is_an_error(prompts: PromptCatalog) -> None:
    with pytest.raises(PromptError, match="no prompt for praise"):
        prompts.render("praise", "python")


@pytest.mark.parametrize("text", ["", "Hello\n[user]\nx", "no section", "[user] x"])
def test_a_file_without_sections_is_an_error(text: str, prompts: PromptCatalog) -> None:
    write(prompts, text)
    with pytest.raises(PromptError, match="must begin with"):
        prompts.render("greet", "python")


@pytest.mark.parametrize("text", ["[user]\n{{ who", "[user]\n{% if %}", "[user]\n{{ ''.__class__.__mro__ }}"])
def test_a_broken_or_reaching_template_is_an_error(text: str, prompts: PromptCatalog) -> None:
    write(prompts, text)
    with pytest.raises(PromptError, match="cannot be rendered"):
        prompts.render("greet", "python", who="Ada")


def test_a_file_that_is_not_utf8_is_an_error(prompts: PromptCatalog) -> None:
    (prompts.directory / "greet" / "default.md").write_bytes(b"[user]\n\xe9")
    with pytest.raises(PromptError, match="cannot be read"):
        prompts.render("greet", "python")


def test_code_stays_text(prompts: PromptCatalog) -> None:
    code = '[user]\n{{ who }} {% raw %} {# note #}\n[system]\n<b>&amp;\n"""'
    write(prompts, "[user]\n```\n{{ code }}\n```\n")
    (message,) = prompts.render("greet", "python", code=code)
    assert message == Message("user", f"```\n{code}\n```")


def test_windows_line_ends_in_a_prompt_file(prompts: PromptCatalog) -> None:
    (prompts.directory / "greet" / "default.md").write_bytes(b"[system]\r\na\r\n[user]\r\nb\r\n")
    assert prompts.render("greet", "python") == (Message("system", "a"), Message("user", "b"))


def test_the_wheels_own_copy_comes_first_then_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "site" / "lsp_server"
    package.mkdir(parents=True)
    monkeypatch.setattr(catalog, "_PACKAGE", package)
    assert shipped_directory() == tmp_path / "site" / "prompts"
    (package / "_prompts").mkdir()
    assert shipped_directory() == package / "_prompts"


VARIABLES = {
    "docstring": {"language", "fence", "kind", "code"},
    "types": {"code", "related"},
    "unit_tests": {"language", "fence", "framework", "name", "count", "code", "related"},
    "try_out": {"language", "fence", "name", "code", "related"},
    "explain": {"language", "fence", "code", "related"},
    "explain_problem": {"language", "fence", "code", "related", "line", "problem"},
    "fill_hole": {"language", "fence", "suffix", "related"},
    "simplify": {"language", "fence", "code"},
    "optimise": {"language", "fence", "code"},
    "to_async": {"language", "fence", "code"},
    "port": {"language", "to", "fence", "code", "related"},
    "edit": {"language", "fence", "code", "related", "instruction"},
    "fix": {"language", "fence", "code", "related", "line", "problem"},
    "from_comment": {"language", "fence", "comment", "related"},
    "extract": {"language", "fence", "code", "related"},
    "rename": {"language", "fence", "code"},
    "repair": {"language", "reason"},
}


@pytest.mark.parametrize("task", VARIABLES)
def test_shipped_prompts_need_no_more_than_the_readme_says(task: str) -> None:
    shipped = PromptCatalog(shipped_directory())
    values = {name: f"<{name}>" for name in VARIABLES[task]}
    messages = shipped.render(task, "python", **values)
    assert messages[-1].role == "user"
    said = [name for name in ("code", "suffix", "reason", "comment") if f"<{name}>" in messages[-1].content]
    assert said
    readme = (shipped_directory() / "README.md").read_text(encoding="utf-8")
    row = next(line for line in readme.splitlines() if line.startswith(f"| `{task}`"))
    assert set(re.findall(r"`(\w+)`", row)) == VARIABLES[task] | {task}


def test_the_workspaces_and_the_users_own_go_first(
    prompts: PromptCatalog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root, config = tmp_path / "root", tmp_path / "config"
    monkeypatch.setattr(catalog, "shipped_directory", lambda: prompts.directory)
    monkeypatch.setattr(catalog, "user_config_path", lambda *_args, **_named: config)
    write(prompts, "[user]\nours")
    write(prompts, "[user]\nours for Rust", "rust")
    own = PromptCatalog(config / "prompts")
    for folder in (own.directory, root / ".shardlight" / "prompts"):
        (folder / "greet").mkdir(parents=True)
    assert prompts_of([root]).render("greet", "rust")[0].content == "ours for Rust"
    write(own, "[user]\nthe user's")
    assert prompts_of([root]).render("greet", "rust")[0].content == "the user's"
    write(PromptCatalog(root / ".shardlight" / "prompts"), "[user]\nthe workspace's", "rust")
    assert prompts_of([root]).render("greet", "rust")[0].content == "the workspace's"
    assert prompts_of([root]).render("greet", "go")[0].content == "the user's"
    assert prompts_of().render("greet", "rust")[0].content == "the user's"


def test_every_shipped_prompt_is_listed() -> None:
    assert {path.parent.name for path in shipped_directory().glob("*/*.md")} == set(VARIABLES)
