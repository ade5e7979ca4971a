from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from lsp_server.errors import RefusedError
from lsp_server.features.explain import explain, explain_code, explain_problem
from lsp_server.features.types import Problem, find_selection
from lsp_server.inference.backend import ChatRequest, Snippet
from lsp_server.syntax.snapshot import Snapshot
from tests.support.features import limited, scripted, target_of, tools_of

PARSE = target_of(
    "def parse(\n    text,\n    base=10,\n):\n"
    "    <|>if not text:\n        raise ValueError(text)\n    return int(text, base)\n"
)


async def test_the_signature_and_the_errors_are_ours_the_sentences_the_models() -> None:
    tools = tools_of(" parses a number.", " calls int.", " the text is empty")
    explanation = await explain(PARSE, tools)
    assert explanation.markdown == (
        "### `def parse(text, base=10)`\n\n"
        "`parse` parses a number.\n\n"
        "**How it works:** It calls int.\n\n"
        "**Errors:**\n- `ValueError` if the text is empty.\n"
    )
    assert explanation.timings.predicted_tokens == 3 + 2 + 4


async def test_what_the_code_uses_is_shown_to_the_model() -> None:
    backend = scripted(" x.", " y.", " z")
    related = (Snippet("shapes.py", "class Circle: ..."),)
    await explain(replace(PARSE, related=related), tools_of(backend=backend))
    request = backend.seen[0]
    assert isinstance(request, ChatRequest)
    assert "class Circle: ..." in request.messages[1].content


async def test_a_text_that_was_cut_off_ends_with_its_last_whole_sentence() -> None:
    target = target_of("def f():\n    <|>pass\n")
    backend = limited(8, " does nothing.", " does this. Then that. And finally it beg ins to")
    markdown = (await explain(target, tools_of(backend=backend))).markdown
    assert markdown.endswith("**How it works:** It does this. Then that.\n")


async def test_nothing_about_how_it_works_leaves_that_out() -> None:
    markdown = (await explain(target_of("def f():\n    <|>pass\n"), tools_of(" does nothing", ""))).markdown
    assert markdown == "### `def f()`\n\n`f` does nothing.\n"


async def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(RefusedError, match="nothing to say about parse"):
        await explain(PARSE, tools_of(""))


TEXT = "def f(items):\n    n = len(items)\n    return items[n]\n"
LINES = find_selection(Snapshot.open(TEXT, "python"), TEXT.index("n ="), TEXT.index("[n"), PurePosixPath("a.py"))


async def test_selected_code() -> None:
    backend = scripted(" takes the last one.", " counts them.")
    explanation = await explain_code(LINES, tools_of(backend=backend))
    assert explanation.markdown == (
        "### Lines 2 to 3\n\nThis code takes the last one.\n\n**How it works:** It counts them.\n"
    )
    request = backend.seen[0]
    assert isinstance(request, ChatRequest)
    assert "```python\nn = len(items)\nreturn items[n]\n```" in request.messages[1].content


async def test_a_selected_function_is_called_by_its_name() -> None:
    text = "def total_price(x):\n    return x\n"
    selection = find_selection(Snapshot.open(text, "python"), 5, 5, PurePosixPath("a.py"))
    explanation = await explain_code(selection, tools_of(" adds.", " adds up."))
    assert explanation.markdown.startswith("### `total_price`\n\n")


async def test_what_a_tool_says_of_a_line() -> None:
    backend = scripted(" there is no such item.", " n is one too many", " subtract one.")
    problem = Problem("index <out> of range\nmore", "    return items[n]")
    explanation = await explain_problem(LINES, problem, tools_of(backend=backend))
    assert explanation.markdown == (
        "### index &lt;out> of range\n\nThis means there is no such item.\n\n"
        "**Why here:** It happens because n is one too many.\n\n**To mend it:** You can subtract one.\n"
    )
    request = backend.seen[0]
    assert isinstance(request, ChatRequest)
    assert "A tool says of the line `return items[n]`: index <out> of range" in request.messages[1].content


async def test_nothing_to_say_of_selected_code() -> None:
    with pytest.raises(RefusedError, match="nothing to say about lines 2 to 3"):
        await explain_code(LINES, tools_of("", ""))
    with pytest.raises(RefusedError, match="nothing to say"):
        await explain_problem(LINES, Problem("x", "y"), tools_of("", "", ""))


async def test_what_a_script_would_destroy_is_said() -> None:
    text = "# x\nrm -rf build\nls\n"
    script = find_selection(Snapshot.open(text, "shellscript"), 4, 15, PurePosixPath("a.sh"))
    explanation = await explain_code(script, tools_of("cleans up.", "removes a folder."))
    careful = "**Careful:**\n- `rm -rf build` deletes build with all that is in there."
    assert explanation.markdown.endswith(f"{careful}\n")


async def test_where_names_stand() -> None:
    explanation = await explain(PARSE, tools_of(" parses.", " works.", ""))
    assert PARSE.scope.name not in explanation.lines
    text = PARSE.snapshot.text.splitlines()
    assert explanation.lines
    assert all(name in text[line - 1] for name, line in explanation.lines.items())


async def test_a_sentence_that_only_announces_something_goes() -> None:
    tools = tools_of(" does this. Here is a list of what it does:", " works:")
    markdown = (await explain(target_of("def f():\n    <|>pass\n"), tools)).markdown
    assert markdown == "### `def f()`\n\n`f` does this.\n"


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (" adds. It adds. It returns.", "It adds. It returns."),
        (" does this.", ""),
        (" adds. It calls `_other_one` then. It returns.", "It adds. It returns."),
        (" adds. It calls `missing()` then.", "It adds."),
        (" adds. It then has", "It adds."),
        (" gives `None`, a `value` or `g`", "It gives `None`, a `value` or `g`"),
    ],
)
async def test_what_was_said_and_names_that_are_made_up_go(steps: str, told: str) -> None:
    tools = tools_of(" is there. It does this.", steps)
    markdown = (await explain(target_of("def f():\n    <|>g()\n"), tools)).markdown
    section = f"\n\n**How it works:** {told}" if told else ""
    assert markdown == f"### `def f()`\n\n`f` is there. It does this.{section}\n"


async def test_a_sentence_that_was_cut_off_goes() -> None:
    tools = tools_of(backend=limited(4, " adds up. Then it adds the", " adds. Then it `adds` them"))
    markdown = (await explain(target_of("def f():\n    <|>g()\n"), tools)).markdown
    assert "Then" not in markdown


async def test_comments_in_a_signature_are_not_in_the_heading() -> None:
    target = target_of("def f(  # type: ignore\n    a,  # the first\n    b,\n):\n    <|>return a\n")
    assert (await explain(target, tools_of(" does.", " works."))).markdown.startswith("### `def f(a, b)`\n")


@pytest.mark.parametrize(
    ("code", "message", "why", "mend"),
    [
        ("itemz[0]", "Undefined name `itemz`", "there is `items`", "Write `items`."),
        ("os.sep", "name 'os' is not defined", "is not imported", "Add `import os`."),
    ],
)
async def test_a_name_that_is_plainly_meant_needs_no_model(code: str, message: str, why: str, mend: str) -> None:
    text = f"def f(items):\n    n = len(items)\n    return {code}\n"
    selection = find_selection(
        Snapshot.open(text, "python"), text.index("n ="), text.index(code), PurePosixPath("a.py")
    )
    explanation = await explain_problem(selection, Problem(message, f"return {code}"), tools_of())
    assert explanation.markdown.startswith(f"### {message}\n\nThis means that nothing is called")
    assert why in explanation.markdown
    assert explanation.markdown.endswith(f"**To mend it:** {mend}\n")


async def test_a_problem_without_a_word_has_a_name() -> None:
    explanation = await explain_problem(
        LINES, Problem("", "return items[n]"), tools_of(" nothing.", " of that.", " go.")
    )
    assert explanation.markdown.startswith("### a problem without a name\n")
