from __future__ import annotations

import pytest

from benchmarks.completion.llama_vim import N_PREFIX, N_SUFFIX, Cache, context, infill, plain, shown


def cursor(marked: str) -> tuple[str, int]:
    return marked.replace("|", ""), marked.index("|")


def test_the_lines_before_and_after_are_sent_and_the_cursors_line_apart() -> None:
    text = "".join(f"line{n}\n" for n in range(1000))
    at = text.index("line500\n") + 4
    c = context(text, at)

    assert c.prefix.split("\n") == [*(f"line{n}" for n in range(500 - N_PREFIX, 500)), ""]
    assert c.middle == "line"
    assert c.suffix.split("\n") == ["500", *(f"line{n}" for n in range(501, 501 + N_SUFFIX)), ""]


def test_a_blank_line_is_sent_without_its_blanks_and_written_anew() -> None:
    c = context(*cursor("def f():\n    |\n\n"))

    assert (c.middle, c.suffix.split("\n")[0], c.indent) == ("", "", 0)
    assert shown("    return 1\n\n", c) == (4, "    return 1")


def test_a_line_that_is_begun_keeps_its_indentation() -> None:
    c = context(*cursor("def f():\n    return |\n"))

    assert (c.middle, c.indent) == ("    return ", 4)
    assert shown("1", c) == (0, "1")


def test_ahead_the_suggestion_counts_as_written() -> None:
    c = context(*cursor("def f():\n    a|\n    c\n"), ahead=" = 1\n    b", indent=4)

    assert c.prefix.endswith("def f():\n    a = 1\n")
    assert (c.middle, c.indent) == ("    b", 4)
    assert c.suffix.startswith("\n    c\n")


@pytest.mark.parametrize(
    ("marked", "content"),
    [
        ("a|\nb\n", ""),
        ("a|\nb\n", "\n\n"),
        ("a|\nb\n", "\nb"),
        ("f(|)\n", ")"),
        ("a|\n\na = 1\nb\n", " = 1"),
        ("a|\na = 1\nbc\n", " = 1\nb"),
        ("a|\na = 1\nb\nc\n", " = 1\nb\nc"),
        ("|\n", "   \n"),
    ],
)
def test_what_repeats_the_file_is_not_shown(marked: str, content: str) -> None:
    assert shown(content, context(*cursor(marked))) is None


def test_an_answer_is_found_again_and_while_it_is_typed_through() -> None:
    cache = Cache()
    cache.insert(context(*cursor("a = |\n")), "compute(1)")

    assert cache.lookup(context(*cursor("a = |\n"))) == "compute(1)"
    assert cache.lookup(context(*cursor("a = comp|\n"))) == "ute(1)"
    assert cache.lookup(context(*cursor("a = cat|\n"))) is None
    assert cache.lookup(context(*cursor("a = |\nb\n"))) is None


def test_requests_are_as_published() -> None:
    c = context(*cursor("a = |\n"))
    sent = infill(c, t_max_predict_ms=250, seed=1)

    assert (sent["input_prefix"], sent["prompt"], sent["input_suffix"]) == ("\n", "a = ", "\n\n")
    assert (sent["n_predict"], sent["top_k"], sent["top_p"]) == (128, 40, 0.90)
    assert sent["samplers"] == ["top_k", "top_p", "infill"]
    assert plain(c)["prompt"] == "<|fim_prefix|>\na = <|fim_suffix|>\n\n<|fim_middle|>"
