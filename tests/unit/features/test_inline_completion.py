from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.errors import BackendUnavailableError
from lsp_server.features.inline_completion import Cursor, Effort, alternatives, complete, place_of, read_ahead
from lsp_server.inference.backend import ChatRequest, Chunk, InfillRequest, Priority, Snippet, StopReason
from lsp_server.inference.scripted import ScriptedBackend
from lsp_server.syntax.checks import error_count
from lsp_server.syntax.hole import Extent
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.closers import is_closing
from lsp_server.text.edits import TextEdit, apply_edits
from tests.support.cursor import cursor
from tests.support.features import PROMPTS, limited


def place(marked: str, language: str = "python") -> Cursor:
    text, offset = cursor(marked)
    return Cursor(Snapshot.open(text, language), offset, "pkg/a.py", "project", "file:///a.py", (Snippet("b.py", "B"),))


async def completed(marked: str, fill: str, language: str = "python") -> str | None:
    """The document with the suggestion in it; None if there is none."""
    where = place(marked, language)
    suggestion = await complete(where, ScriptedBackend(infills=[fill]), Effort(96, in_text=True), PROMPTS)
    if suggestion is None:
        return None
    edit = TextEdit(where.offset, where.offset + suggestion.replaces, suggestion.text)
    return apply_edits(where.snapshot.text, [edit])


async def test_the_request() -> None:
    backend = ScriptedBackend(infills=["1"])
    await complete(place("x = 0\ny = <|>\nz = 2\n"), backend, Effort(7), PROMPTS)
    assert backend.seen == [
        InfillRequest(
            prefix="x = 0\ny = ",
            suffix="\nz = 2\n",
            max_tokens=7,
            path="pkg/a.py",
            repository="project",
            extra=(Snippet("b.py", "B"),),
            document="file:///a.py",
            time_limit_ms=3000.0,
        )
    ]


async def test_what_is_read_ahead_is_what_a_suggestion_would_ask_for() -> None:
    backend = ScriptedBackend(infills=["1"])
    where = place("x = 0\ny = <|>\nz = 2\n")
    await read_ahead(where, backend)
    await complete(where, backend, Effort(7), PROMPTS)
    ahead, asked = backend.seen
    assert isinstance(asked, InfillRequest)
    assert ahead == replace(asked, max_tokens=0, priority=Priority.BACKGROUND)


async def test_within_a_word_nothing_is_read_ahead() -> None:
    backend = ScriptedBackend(infills=["1"])
    await read_ahead(place("x = va<|>lue\n"), backend)
    assert backend.seen == []


@pytest.mark.parametrize(
    ("marked", "suffix"),
    [
        ("foo(<|>)\nx\n", "\nx\n"),
        ("x = [<|>]\n", "\n"),
        ('print("<|>")\r\nx\r\n', "\r\nx\r\n"),
        ("foo(bar(<|>)), \nx\n", "\nx\n"),
        ("def f(<|>):\n    pass\n", "\n    pass\n"),
        ("foo(<|>)", ""),
        ("foo(<|>, b)\n", ", b)\n"),
        ("foo(<|>) + 1\n", ") + 1\n"),
        ('x = <|>"""\ntext"""\n', '"""\ntext"""\n'),
        ("foo(\n    <|>\n)\n", "\n)\n"),
    ],
)
async def test_closers_at_the_end_of_the_line_are_not_in_the_prompt(marked: str, suffix: str) -> None:
    """An editor adds them with each bracket, and the suffix stands at the head of a prompt."""
    backend = ScriptedBackend(infills=["1"])
    await complete(place(marked), backend, Effort(7, in_text=True), PROMPTS)
    assert [request.suffix for request in backend.seen if isinstance(request, InfillRequest)] == [suffix]


async def test_a_block_has_no_stop_but_a_time_limit() -> None:
    backend = ScriptedBackend(infills=["\n    pass\n"])
    await complete(place("def f():<|>\n"), backend, Effort(7), PROMPTS)
    request = backend.seen[0]
    assert isinstance(request, InfillRequest)
    assert request.stop == ()
    assert request.time_limit_ms > 0


@pytest.mark.parametrize(
    ("marked", "fill", "after"),
    [
        ("total = a + <|>\n", "b\nprint(total)", "total = a + b\n"),
        ("print(<|>)\n", "total", "print(total)\n"),
        ("print(<|>)\n", "total)", "print(total)\n"),
        ('print("<|>")\n', 'hello")', 'print("hello")\n'),
        ("x = f(a, <|>b)\n", None, None),
        ("d = datetime(<|>)\n", "1970, 1, 1) + delta", "d = datetime(1970, 1, 1) + delta\n"),
        ("d = datetime(<|>)\n", "a, b) + f(c", "d = datetime(a, b) + f(c)\n"),
        ("x = f(<|>, c)\n", "a, c) + d", "x = f(a, c)\n"),
        ("x = f(<|>\n", "a,\n    b,\n)\ny", "x = f(a,\n    b,\n)\n"),
        ("x = f(<|>\n", "a, b", "x = f(a, b)\n"),
        (
            "def f(x):\n    y = <|>\n    return y\n",
            "g(\n        x,\n    )\n    return y\n",
            "def f(x):\n    y = g(\n        x,\n    )\n    return y\n",
        ),
        ("def f(x):\n    <|>\n    return y\n", "y = x\n    z = y\n", "def f(x):\n    y = x\n    return y\n"),
        ("def f(x):\n    <|>\n    return y\n", "\n    y = x\n", "def f(x):\n    y = x\n    return y\n"),
        ("def f(x):\n    <|>\n    return y\n", "return y\n", None),
        ("x = f(<|>)\n", "a) + g(b)", "x = f(a) + g(b)\n"),
        ("x = f(g(<|>))\n", "a))", "x = f(g(a))\n"),
        ("x = f(g(<|>))\n", "a)", "x = f(g(a))\n"),
        ("x = [<|>]\n", "1, 2]  # two", "x = [1, 2]\n"),
        ("x = [<|>]\n", "f(a) for a in b]", "x = [f(a) for a in b]\n"),
        ('x = _("<|>")\n', 'open() failed: %r") % x', 'x = _("open() failed: %r") % x\n'),
        ('x = "<|>"\n', r"a \"b\" c" + '"', r'x = "a \"b\" c"' + "\n"),
        ("def f(<|>):\n    pass\n", "self, a):", "def f(self, a):\n    pass\n"),
        ("def f(<|>):\n    pass\n", "self, a)", "def f(self, a):\n    pass\n"),
        ("foo(\n    <|>\n)\n", "a, b)\nbar()\n", "foo(\n    a, b\n)\n"),
        ("x = {<|>}\n", "1: 2}", "x = {1: 2}\n"),
        ("def f(x):\n    <|>\n", "return x\n\n\ndef g():\n    pass\n", "def f(x):\n    return x\n"),
        ("def f(x):<|>\n", "\n    y = x\n    return y\n", "def f(x):\n    y = x\n    return y\n"),
        ("def f(x):\r\n    <|>\r\n", "y = x\n    return y\n", "def f(x):\r\n    y = x\r\n    return y\r\n"),
        ("# 😀 grüße\nx = <|>\n", '"漢字"', '# 😀 grüße\nx = "漢字"\n'),
        ("if x:\n\t<|>\n", "y = 1\n\tz = 2\n", "if x:\n\ty = 1\n\tz = 2\n"),
        ("x = [\n    1,\n    <|>\n]\n", "2,\n    3,\n]\n", "x = [\n    1,\n    2,\n    3,\n]\n"),
    ],
)
async def test_suggestions(marked: str, fill: str | None, after: str | None) -> None:
    assert await completed(marked, fill or "anything") == after


@pytest.mark.parametrize(
    ("marked", "fill", "after"),
    [
        ("if (a) {<|>}\nb();\n", "\n  c();\n}\nb();", "if (a) {\n  c();\n}\nb();\n"),
        ("if (a) {<|>}\nb();\n", " c(); }\nb();", "if (a) { c(); }\nb();\n"),
        ("if (a) {<|>}\n", "\n  c();\n} else {\n  d();\n}\n", "if (a) {\n  c();\n}\n"),
        ("  on(() => {<|>});\n", "\n    c();\n  });\n", "  on(() => {\n    c();\n  });\n"),
        ("if (a) {<|>}\n", "\n  c();\n", "if (a) {\n  c();\n}\n"),
        ("\tif (a) {<|>}\n", "\n\t\tc();\n\t\td(", "\tif (a) {\n\t\tc();\n\t}\n"),
        ("x = {<|>}\n", "a: 1}; // one", "x = {a: 1}\n"),
        ("if (a) {<|>}\n", "}", None),
    ],
)
async def test_a_block_between_braces(marked: str, fill: str, after: str | None) -> None:
    assert await completed(marked, fill, "javascript") == after


@pytest.mark.parametrize(
    ("marked", "fill"),
    [
        ("print(<|>)\n", ")"),
        ("x = 1<|>\n", "   "),
        ("x = <|>\n", ""),
        ("x = 1\n<|>\n", "def (:"),
        ("fo<|>o = 1\n", "r"),
        ("f<|>_x = 1\n", "r"),
    ],
    ids=["only what is there", "blank", "nothing", "broken", "in a word", "before an underscore"],
)
async def test_nothing_good_to_say(marked: str, fill: str) -> None:
    assert await completed(marked, fill) is None


BODY_BELOW = "def f(tree):\n    <|>\n        walk(tree)\n    return tree\n"
RAISED_BELOW = (
    "def f():\n    try:\n        g()\n    except E as error:\n        <|>\n            error,\n        ) from error\n"
)
ARGUMENTS_BELOW = "def f(name):\n    return names.<|>\n        name,\n    )\n"


@pytest.mark.parametrize(
    ("marked", "fill", "is_offered"),
    [
        (BODY_BELOW, "for tree in trees:", True),
        (BODY_BELOW, "self.walk(tree)", False),
        (RAISED_BELOW, "raise Fault(", True),
        (RAISED_BELOW, "self.fail(", False),
        (ARGUMENTS_BELOW, "get(", True),
        (ARGUMENTS_BELOW, "get(name)", False),
    ],
)
async def test_what_stands_deeper_below_has_to_go_with_it(marked: str, fill: str, is_offered: bool) -> None:
    assert (await completed(marked, fill) is not None) == is_offered


async def test_a_dollar_sign_may_be_in_a_word() -> None:
    assert await completed("x = a<|>$b;\n", "c", "javascript") is None
    assert await completed("echo <|>$b;\n", "c", "shellscript") is None
    where = place("x = `${a} <|>${b}`;\n", "javascript")
    assert place_of(where.snapshot, where.offset, in_text=True) is not None


async def test_lines_that_break_the_file_are_left_off() -> None:
    assert await completed("def f(x):\n    <|>\n", "y = x\n    return y +\n") == "def f(x):\n    y = x\n"


async def test_what_was_opened_and_not_closed_is_closed() -> None:
    assert await completed("def f(x):\n    <|>\n", "return g((x\n") == "def f(x):\n    return g((x))\n"


async def test_half_a_line_at_the_limit_is_left_off() -> None:
    where = place("def f(x):\n    <|>\n")
    suggestion = await complete(where, limited(4, "y = x\n    return y.attribute\n"), Effort(4), PROMPTS)
    assert suggestion is not None
    assert suggestion.text == "y = x"


async def test_generation_ends_with_the_block() -> None:
    backend = ScriptedBackend(infills=["return x\n\n\ndef g():\n    pass\n" + "x = 1\n" * 50])
    pieces = 0

    class Counting(ScriptedBackend):
        async def infill(self, request):  # type: ignore[no-untyped-def]
            nonlocal pieces
            async for chunk in backend.infill(request):
                pieces += 1
                yield chunk

    await complete(place("def f(x):\n    <|>\n"), Counting(), Effort(500), PROMPTS)
    assert pieces < 8


async def test_a_superseded_request_has_no_suggestion() -> None:
    class Superseded(ScriptedBackend):
        async def infill(self, request):  # type: ignore[no-untyped-def]
            yield Chunk("half", StopReason.CANCELLED)

    assert await complete(place("x = <|>\n"), Superseded(), Effort(9), PROMPTS) is None


async def test_a_dead_model_is_not_hidden() -> None:
    with pytest.raises(BackendUnavailableError):
        await complete(
            place("x = <|>\n"), ScriptedBackend(infills=[BackendUnavailableError("gone")]), Effort(9), PROMPTS
        )


@pytest.mark.parametrize("marked", ['x = "a<|>"\n', "x = 1  # a<|>\n", 'def f():\n    """A<|>"""\n'])
async def test_in_strings_and_comments_only_if_it_is_wanted(marked: str) -> None:
    backend = ScriptedBackend(infills=["bc"])
    assert await complete(place(marked), backend, Effort(9), PROMPTS) is None
    await read_ahead(place(marked), backend)
    assert backend.seen == []
    assert await complete(place(marked), backend, Effort(9, in_text=True), PROMPTS)


async def test_what_is_interpolated_into_a_string_is_code() -> None:
    assert await complete(place('x = f"{<|>}"\n'), ScriptedBackend(infills=["a"]), Effort(9), PROMPTS)


async def test_the_other_cells_of_a_notebook_are_around_it() -> None:
    backend = ScriptedBackend(infills=["1"])
    where = replace(place("x = <|>\n"), before="import a\n\n", after="\n\nprint(x)")
    await complete(where, backend, Effort(9), PROMPTS)
    request = backend.seen[0]
    assert isinstance(request, InfillRequest)
    assert (request.prefix, request.suffix) == ("import a\n\nx = ", "\n\n\nprint(x)")


def talking(answer: str) -> ScriptedBackend:
    """A model that was not trained to fill holes."""
    return ScriptedBackend(chats=[answer], fills_holes=False)


async def test_a_model_that_only_talks_is_talked_to() -> None:
    backend = talking("a + b\n```")
    suggestion = await complete(place("x = <|>\ny = 1\n"), backend, Effort(9), PROMPTS)
    assert suggestion is not None
    assert suggestion.text == "a + b"
    (request,) = backend.seen
    assert isinstance(request, ChatRequest)
    assert request.messages[-1].role == "assistant"
    assert request.messages[-1].content.startswith("```python\nx =")
    assert "y = 1" in request.messages[-2].content
    assert (request.max_tokens, request.priority) == (9, Priority.INLINE)


async def test_a_talking_model_is_told_the_language_as_markdown_has_it() -> None:
    backend = talking("1\n```")
    await complete(place("const x = <|>\n", "typescriptreact"), backend, Effort(9), PROMPTS)
    (request,) = backend.seen
    assert isinstance(request, ChatRequest)
    assert request.messages[-1].content.startswith("```tsx\n")


async def test_it_ends_where_the_code_ends() -> None:
    backend = talking("    return x\n```\nThat is all.")
    suggestion = await complete(place("def f(x):\n<|>\n"), backend, Effort(9), PROMPTS)
    assert suggestion is not None
    assert suggestion.text == "    return x"


async def test_for_a_talking_model_nothing_is_read_ahead() -> None:
    backend = talking("1")
    await read_ahead(place("x = <|>\n"), backend)
    assert backend.seen == []


async def test_alternatives_differ() -> None:
    backend = ScriptedBackend(infills=["1", "2", "1"])
    found = [one.text async for one in alternatives(place("x = <|>\n"), backend, Effort(9), PROMPTS, 3)]
    assert found == ["1", "2"]
    assert [(r.temperature > 0, r.seed) for r in backend.seen if isinstance(r, InfillRequest)] == [
        (False, None),
        (True, 1),
        (True, 2),
    ]


async def test_what_is_written_is_told_while_it_is() -> None:
    told: list[str] = []
    await complete(place("x = <|>\n"), ScriptedBackend(infills=["a + b"]), Effort(9), PROMPTS, on_text=told.append)
    assert told == ["a", "a +", "a + b", "a + b"]


def test_the_place() -> None:
    text, offset = cursor("a\r\n  b = <|>)\r\n1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n")
    found = place_of(Snapshot.open(text, "python"), offset)
    assert found is not None
    assert (found.line_prefix, found.line_suffix, found.extent) == ("  b = ", ")", Extent.LINE)
    assert found.next_lines == ("1", "2", "3", "4", "5")


WORDS = ["x", " ", "\n", "    ", "(", ")", ":", "def f", "return ", "if ", '"', "😀", ",", "=", "}", "{"]
CODE = st.lists(st.sampled_from(WORDS), max_size=16).map("".join)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("language", ["python", "typescript"])
@given(before=CODE, after=CODE, fill=CODE)
async def test_no_suggestion_adds_a_syntax_error(
    language: str, newline: str, before: str, after: str, fill: str
) -> None:
    before, after = before.replace("\n", newline), after.replace("\n", newline)
    where = place(f"{before}<|>{after}", language)
    suggestion = await complete(where, ScriptedBackend(infills=[fill]), Effort(96, in_text=True), PROMPTS)
    if suggestion is not None:
        end = where.offset + suggestion.replaces
        edited = where.snapshot.edited([TextEdit(where.offset, end, suggestion.text)], 1)
        assert error_count(Snapshot.open(edited.text, language)) <= error_count(Snapshot.open(before + after, language))
        assert is_closing(after[: suggestion.replaces])
        assert suggestion.text.strip() not in ("", after[: suggestion.replaces].strip())


@pytest.mark.parametrize(
    ("marked", "fill", "language", "line"),
    [
        ("for i in <|>\n", "range(10):", "python", "for i in range(10):"),
        ("if foo(<|>)\n", "a):", "python", "if foo(a):"),
        ("def f(<|>)\n", "a, b):", "python", "def f(a, b):"),
        ("class A(<|>):\n", "B):", "python", "class A(B):"),
        ("def f(x):\n    try:\n        <|>\n", "        y = x", "python", "        y = x"),
        ("function f(<|>)\n", "a, b) {", "javascript", "function f(a, b)"),
        ("if (<|>)\n", "a > 1) {", "javascript", "if (a > 1)"),
        ("for (<|>)\n", "const a of b) {", "javascript", "for (const a of b)"),
        ("if (a <|> b) {\n", "> 1 &&", "javascript", "if (a > 1 && b) {"),
        ("func f(<|>) {\n", "a int", "go", "func f(a int) {"),
    ],
)
async def test_headers_that_are_being_written(marked: str, fill: str, language: str, line: str) -> None:
    found = await completed(marked, fill, language)
    assert found is not None
    assert line in found


async def test_a_body_that_is_there_is_not_written_again() -> None:
    marked = "function f(a) {\n  if (a <|>\n    return 1;\n  }\n}\n"
    fill = "> 1) {\n    return 1;\n  }\n  return 2;"
    found = await completed(marked, fill, "javascript")
    assert found == "function f(a) {\n  if (a > 1) {\n    return 1;\n  }\n}\n"


@pytest.mark.parametrize(
    ("marked", "fill", "after"),
    [
        (
            "function f() {\n  a();\n<|>}\nf();\n",
            "  b();\n  c();\n}\n",
            "function f() {\n  a();\n  b();\n  c();\n}\nf();\n",
        ),
        ("function f() {\n  a();\n<|>}\nf();\n", "  b();", "function f() {\n  a();\n  b();\n}\nf();\n"),
        (
            "function f() {\n  a();\n<|>}\n",
            "  b.each(c => {\n    if (c) {\n      d(c);\n",
            "function f() {\n  a();\n  b.each(c => {\n    if (c) {\n      d(c);\n    }\n  })\n}\n",
        ),
        ("f(() => {\n  a();\n<|>});\n", "  b();\n});\n", "f(() => {\n  a();\n  b();\n});\n"),
        ("{\n  if (a) {\n  <|>}\n}\n", "  b();\n  }\n", "{\n  if (a) {\n    b();\n  }\n}\n"),
    ],
)
async def test_in_front_of_the_end_of_a_block(marked: str, fill: str, after: str) -> None:
    assert await completed(marked, fill, "javascript") == after


async def test_nothing_is_remarked_upon() -> None:
    assert await completed("x = 1<|>\n", "  # one") is None
    assert await completed("x = <|>\n", "1  # one") == "x = 1  # one\n"
    assert await completed("<|>\n", "# one\nx = 1") == "# one\nx = 1\n"
