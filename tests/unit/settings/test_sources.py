from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.settings import sources
from lsp_server.settings.resolve import resolve
from lsp_server.settings.schema import Settings


@pytest.fixture
def user_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for settings.toml that is nobody's own."""
    path = tmp_path / "settings.toml"
    monkeypatch.setattr(sources, "user_file", lambda: path)
    return path


def test_no_file_and_an_empty_environment_are_the_defaults(user_file: Path) -> None:
    resolution = sources.load(environ={})

    assert not user_file.exists()
    assert resolution.settings == Settings()
    assert resolution.problems == ()


def test_the_file_is_found_in_the_configuration_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "user_config_path", lambda name, appauthor: tmp_path / name)

    assert sources.user_file() == tmp_path / "shardlight" / "settings.toml"


def test_precedence_file_environment_editor(user_file: Path) -> None:
    user_file.write_text("[engine]\nn_ctx = 1024\nport = 1001\nidle_minutes = 1\n", encoding="utf-8")
    environ = {"SHARDLIGHT_ENGINE__PORT": "1002", "SHARDLIGHT_ENGINE__IDLE_MINUTES": "2"}

    resolution = sources.load({"engine": {"idle_minutes": 3}}, environ=environ)

    engine = resolution.settings.engine
    assert (engine.n_ctx, engine.port, engine.idle_minutes) == (1024, 1002, 3)
    assert resolution.problems == ()


def test_the_process_environment_is_read_by_default(user_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARDLIGHT_ENGINE__N_CTX", "2048")

    assert sources.load().settings.engine.n_ctx == 2048


@pytest.mark.parametrize("content", [b"[engine\nn_ctx = 1", b"\xff\xfe\x00", b"n_ctx = 1\nn_ctx = 2\n"])
def test_a_broken_file_is_a_problem_and_the_rest_goes_on(user_file: Path, content: bytes) -> None:
    user_file.write_bytes(content)

    resolution = sources.load({"engine": {"port": 8080}}, environ={})

    (problem,) = resolution.problems
    assert problem.name == str(user_file)
    assert str(user_file) in problem.message
    assert resolution.settings.engine.port == 8080


def test_a_folder_in_the_files_place_is_a_problem(user_file: Path) -> None:
    user_file.mkdir()

    assert [problem.name for problem in sources.load(environ={}).problems] == [str(user_file)]


def test_what_is_wrong_inside_the_file_is_named_like_everywhere(user_file: Path) -> None:
    user_file.write_text("[engine]\nn_ctx = 1979-05-27\n[engine.deep]\nport = 3\n", encoding="utf-8")

    assert [problem.name for problem in sources.load(environ={}).problems] == ["engine.deep", "engine.n_ctx"]


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("SHARDLIGHT_ENGINE__N_CTX", "4096", {"engine": {"n_ctx": 4096}}),
        ("SHARDLIGHT_ENGINE__N_GPU_LAYERS", "-1", {"engine": {"n_gpu_layers": -1}}),
        ("SHARDLIGHT_COMPLETION__ENABLED", "False", {"completion": {"enabled": False}}),
        ("SHARDLIGHT_COMPLETION__ENABLED", "1", {"completion": {"enabled": True}}),
        ("SHARDLIGHT_MODELS__COMPLETION", "hf:org/repo", {"models": {"completion": "hf:org/repo"}}),
        (
            "SHARDLIGHT_COMPLETION__DISABLED_LANGUAGES",
            "markdown, plaintext,",
            {"completion": {"disabled_languages": ["markdown", "plaintext"]}},
        ),
        ("SHARDLIGHT_COMPLETION__DISABLED_LANGUAGES", "", {"completion": {"disabled_languages": []}}),
        ("SHARDLIGHT_UNIT_TESTS__TIMEOUT_S", "5", {"unit_tests": {"timeout_s": 5}}),
        ("SHARDLIGHT_NOTHING", "5", {}),
    ],
)
def test_environment_values_are_read_by_their_type(variable: str, text: str, expected: object) -> None:
    assert sources.environment_options({variable: text}) == expected


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("SHARDLIGHT_ENGINE__N_CTX", "engine.n_ctx"),
        ("SHARDLIGHT_COMPLETION__ENABLED", "completion.enabled"),
    ],
)
def test_an_environment_value_of_the_wrong_type_is_reported_by_name(variable: str, name: str) -> None:
    resolution = resolve(sources.environment_options({variable: "perhaps"}))

    assert [problem.name for problem in resolution.problems] == [name]
    assert "'perhaps'" in resolution.problems[0].message


def test_where_code_and_keys_go_is_not_for_an_editor_to_say(user_file: Path) -> None:
    user_file.write_text('[backend]\ncompletion_url = "http://mine.example"\n', encoding="utf-8")
    environ = {"SHARDLIGHT_BACKEND__ASSISTANT_KEY_COMMAND": "pass,show,gpu"}
    workspace = {"backend": {"completion_url": "https://evil.example", "assistant_key_command": ["evil"]}}

    resolution = sources.load(workspace, environ=environ)

    backend = resolution.settings.backend
    assert backend.completion_url == ("http://mine.example",)
    assert backend.assistant_key_command == ("pass", "show", "gpu")
    (problem,) = resolution.problems
    assert problem.name == "backend"
    assert "not taken from the editor" in problem.message


@pytest.mark.parametrize("untouched", [{}, {"backend": None}, {"backend": {}}])
def test_an_editor_that_sets_nothing_of_it_is_not_blamed(user_file: Path, untouched: dict[str, None]) -> None:
    assert sources.load(untouched, environ={}).problems == ()
