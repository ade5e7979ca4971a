"""The rules; how whole results look in each language is shown in tests/features/docstring/."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.errors import BackendUnavailableError, RefusedError
from lsp_server.features.docstring import write_docstring
from lsp_server.inference.backend import ChatRequest
from lsp_server.syntax.checks import error_count
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import apply_edits
from tests.support.features import scripted, target_of, tools_of

AREA = "def area(radius):\n    <|>return 3 * radius * radius\n"
AREA_WORDS = ("Compute the area.", " The radius.", " The area.")


async def documented(marked: str, *answers: str, language: str = "python") -> str:
    target = target_of(marked, language)
    edit = await write_docstring(target, tools_of(*answers))
    assert edit.path is None
    return apply_edits(target.snapshot.text, edit.edits)


async def test_every_part_is_asked_for_once_and_in_order() -> None:
    backend = scripted("Parse.", " The text.", " The number.", " the text is empty.")
    target = target_of(
        "def parse(text, *rest, **options) -> int:\n    if not text:\n        raise ValueError(text)\n    <|>return 1\n"
    )
    await write_docstring(target, tools_of(backend=backend))
    requests = [request for request in backend.seen if isinstance(request, ChatRequest)]
    openings = [request.messages[-1].content.splitlines()[-1] for request in requests]
    assert openings == ['"""', "    text:", "    rest:", "    options:", "   ", "    ValueError: If"]


async def test_a_sentence_that_the_model_breaks_over_lines_is_read_to_its_end() -> None:
    backend = scripted("Compute the area.", " The radius, or `None` if", "unknown. Or so.", " The area.")
    target = target_of(AREA)
    edit = await write_docstring(target, tools_of(backend=backend))
    assert "radius: The radius, or `None` if unknown.\n" in apply_edits(AREA.replace("<|>", ""), edit.edits)
    last = backend.seen[-1]
    assert isinstance(last, ChatRequest)
    assert "    radius: The radius, or `None` if unknown.\n\nReturns:\n" in last.messages[-1].content


async def test_the_old_docstring_is_not_shown_to_the_model() -> None:
    backend = scripted(*AREA_WORDS)
    target = target_of('def area(radius):\n    """STALE"""\n    <|>return 3 * radius * radius\n')
    await write_docstring(target, tools_of(backend=backend))
    request = backend.seen[0]
    assert isinstance(request, ChatRequest)
    assert "STALE" not in request.messages[1].content
    assert "def area(radius):\n    return 3 * radius * radius" in request.messages[1].content


async def test_the_old_docstring_of_a_crlf_method_is_cut_out_cleanly() -> None:
    backend = scripted(*AREA_WORDS)
    text = 'class A:\r\n    def area(self, r):\r\n        """STALE"""\r\n        x = r\r\n\r\n        <|>return x\r\n'
    await write_docstring(target_of(text), tools_of(backend=backend))
    request = backend.seen[0]
    assert isinstance(request, ChatRequest)
    assert "```python\ndef area(self, r):\n    x = r\n\n    return x\n```" in request.messages[1].content


@pytest.mark.parametrize(
    ("head", "parts"),
    [
        ("def f():\n    <|>pass\n", 1),
        ("def f() -> None:\n    <|>return\n", 1),
        ("def f():\n    <|>return 1\n", 2),
        ("def f():\n    <|>yield 1\n", 2),
        ("class A:\n    def __init__(self):\n        <|>self.x = 1\n", 1),
        ("class A:\n    def f(self, /, a, *, b):\n        <|>pass\n", 3),
        ("class A:\n    @classmethod\n    def f(cls, a: int = 1) -> int:\n        <|>return a\n", 3),
    ],
)
async def test_what_is_asked_for(head: str, parts: int) -> None:
    backend = scripted("Words.")
    await write_docstring(target_of(head), tools_of(backend=backend))
    assert len(backend.seen) == parts


@pytest.mark.parametrize(
    ("answer", "summary"),
    [
        ("Compute the area", "Compute the area."),
        ("compute the area.", "Compute the area."),
        ("- Compute it", "Compute it."),
        ("  Compute   the\tarea. ", "Compute the area."),
        ("Compute the area. It does so with care. Very much.", "Compute the area."),
        ("Is it an area?", "Is it an area?"),
    ],
)
async def test_words_become_one_clean_sentence(answer: str, summary: str) -> None:
    text = await documented("def f():\n    <|>pass\n", answer)
    assert ast.get_docstring(ast.parse(text).body[0]) == summary  # type: ignore[arg-type]


async def test_a_type_in_front_of_the_words_is_left_out() -> None:
    assert "radius: The radius." in await documented(AREA, "Compute.", " (float): The radius.", " x")


async def test_backslashes_and_quotes_mean_themselves() -> None:
    text = await documented("def f():\n    <|>pass\n", 'Split at \\n, \\ and "quotes"')
    assert ast.get_docstring(ast.parse(text).body[0]) == 'Split at \\n, \\ and "quotes".'  # type: ignore[arg-type]


LANGUAGES = {
    "python": "def f():\n    <|>pass\n",
    "javascript": "function f() {<|>}\n",
    "typescript": "class A {\n  f(): void {<|>}\n}\n",
    "go": "package a\n\nfunc f() {<|>}\n",
    "rust": "fn f() {<|>}\n",
    "java": "class A {\n    void f() {<|>}\n}\n",
    "kotlin": "fun f() {<|>}\n",
    "c": "void f(void) {<|>}\n",
    "php": "<?php\nfunction f() {<|>}\n",
    "shellscript": "f() {\n  <|>:\n}\n",
    "ruby": "def f\n  <|>1\nend\n",
    "lua": "function f()\n  <|>return 1\nend\n",
    "sql": "CREATE FUNCTION f() RETURNS int AS $$ SELECT <|>1 $$ LANGUAGE sql;\n",
}


@pytest.mark.parametrize("language", LANGUAGES)
@given(answer=st.text(st.sampled_from("ab. \\u\"'*/#-?>`$\u2028\x0c😀{}<!"), min_size=1, max_size=30))
async def test_no_words_can_break_a_file(language: str, answer: str) -> None:
    target = target_of(LANGUAGES[language], language)
    try:
        edit = await write_docstring(target, tools_of(answer))
    except RefusedError:
        return
    after = apply_edits(target.snapshot.text, edit.edits)
    assert error_count(Snapshot.open(after, language)) == error_count(target.snapshot)
    if language == "python":
        function = ast.parse(after).body[0]
        assert isinstance(function, ast.FunctionDef)
        assert len(function.body) == 2


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language not in ("sql",)])
@pytest.mark.parametrize("answer", ['A """ b', "a */ b **// c", "a /* b", "C:\\users\\", '"\\"" x', "# a", "--]] a"])
async def test_dangerous_words_are_made_harmless_not_refused(language: str, answer: str) -> None:
    target = target_of(LANGUAGES[language], language)
    edit = await write_docstring(target, tools_of(answer))
    assert edit.edits


@pytest.mark.parametrize("answer", ["", "   ", "\n", '"""', "- "])
async def test_nothing_to_say_is_refused(answer: str) -> None:
    with pytest.raises(RefusedError, match="nothing to say about area"):
        await documented(AREA, answer)


async def test_a_dead_model_is_not_hidden() -> None:
    with pytest.raises(BackendUnavailableError):
        await write_docstring(target_of(AREA), tools_of(BackendUnavailableError("gone")))


async def test_half_typed_code_is_documented_or_refused_but_never_made_worse() -> None:
    for text in ("def f(x):<|>\n", "def f(x)<|>\n", "def f(x<|>\n", "def f(x):\n    return x +<|>\n", "def f(x): <|>"):
        try:
            target = target_of(text)
            edit = await write_docstring(target, tools_of("Words."))
        except RefusedError:
            continue
        after = apply_edits(target.snapshot.text, edit.edits)
        assert error_count(Snapshot.open(after, "python")) <= error_count(target.snapshot)


TAKEN_APART = (
    "function link({\n    url = 'a, b',\n    more: { rel },\n    ...rest\n}, [first]) {\n<|>    return url;\n}\n"
)


async def test_a_parameter_that_is_taken_apart_is_named_with_its_properties() -> None:
    text = await documented(TAKEN_APART, "Link.", " How.", " Where.", " Else.", " Two.", " It.", language="javascript")
    assert re.findall(r"@.*", text) == [
        "@param options How.",
        "@param options.url Where.",
        "@param options.more Else.",
        "@param values Two.",
        "@returns It.",
    ]


async def test_the_name_that_a_documentation_gives_such_a_parameter_stays() -> None:
    docs = "/**\n * Link.\n *\n * @param attributes How.\n * @param attributes.url Where.\n * @param pair Two.\n */\n"
    text = await documented(docs + TAKEN_APART, " Else.", " It.", language="javascript")
    assert re.findall(r"@.*", text) == [
        "@param attributes How.",
        "@param attributes.url Where.",
        "@param attributes.more Else.",
        "@param pair Two.",
        "@returns It.",
    ]


async def test_a_component_of_typescript_has_props() -> None:
    code = "function Box({ size }: BoxProps) {\n<|>    return size;\n}\n"
    text = await documented(code, "Draw it.", " How.", " It.", language="typescript")
    assert re.findall(r"@.*", text) == ["@param props - How.", "@returns It."]


async def test_a_parameter_with_a_name_is_called_by_it_whatever_an_old_documentation_says() -> None:
    code = 'def f(options):\n    """Do it.\n\n    Args:\n        opts: How.\n    """\n<|>    pass\n'
    text = await documented(code, " What.")
    assert "        options: What.\n" in text
    assert "opts" not in text


@pytest.mark.parametrize(
    ("language", "code", "kept"),
    [
        (
            "javascript",
            "/**\n * Go.\n *\n * @returns {string} The words.\n */\nfunction f(a) { <|>return a; }\n",
            "@returns {string} The words.",
        ),
        (
            "java",
            (
                "class A {\n    /**\n     * Go.\n     *\n     * @return {@code true} if so\n"
                "     * @throws IOException if it is gone\n     */\n"
                "    boolean f(int a) throws IOException { <|>return g(a); }\n}\n"
            ),
            "@return {@code true} if so\n     * @throws IOException if it is gone",
        ),
        (
            "php",
            "<?php\n/**\n * Go.\n *\n * @return string The words.\n */\nfunction f($a): string { <|>return $a; }\n",
            "@return string The words.",
        ),
        (
            "sql",
            "-- Go.\n-- Note: it is slow.\nCREATE FUNCTION f(a int) RETURNS int AS $$ SELECT <|>1 $$ LANGUAGE sql;\n",
            "Note: it is slow.",
        ),
        (
            "ruby",
            "# Go.\n#\n# @return [Integer] how large\ndef f(a)\n  <|>@size\nend\n",
            "@return [Integer] how large",
        ),
        (
            "csharp",
            (
                "class A {\n    /// <summary>Go.</summary>\n"
                '    /// <exception cref="IOException">If it is gone.</exception>\n'
                "    int F(int a) { <|>return G(a); }\n}\n"
            ),
            '<exception cref="IOException">If it is gone.</exception>',
        ),
        (
            "python",
            'def f(a):\n    """Go.\n\n    Returns\n    -------\n    str\n        It is.\n    """\n    <|>return a\n',
            "    Returns\n    -------\n    str\n        It is.",
        ),
        (
            "python",
            (
                'def f(a):\n    """Go.\n\n    Returns\n    -------\n    n : int\n        How many.\n'
                '    names : list\n        Which.\n    """\n    <|>return a\n'
            ),
            "    Returns\n    -------\n    n : int\n        How many.\n    names : list\n        Which.",
        ),
        (
            "python",
            'def f(a):\n    """Go.\n\n    Returns:\n        list[str]: It is.\n    """\n    <|>return a\n',
            "    Returns:\n        list[str]: It is.",
        ),
    ],
)
async def test_what_is_said_of_what_comes_back_and_of_errors_stays(language: str, code: str, kept: str) -> None:
    text = await documented(code, "It.", "That.", language=language)
    assert "It." in text
    assert kept in text
