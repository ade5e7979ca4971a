from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from lsp_server.inference.backend import Chunk, InfillRequest, Message, StopReason, collect
from lsp_server.inference.fim_text import conversation_text, hole_text, without
from lsp_server.models.catalog import Catalog, MarkerTexts
from lsp_server.text.snippet import Snippet

MODELS = ("Qwen/Qwen2.5-Coder-7B", "deepseek-coder-v2", "bigcode/starcoder2-3b", "codestral-2508")
QWEN, DEEPSEEK, STARCODER, CODESTRAL = (texts for name in MODELS if (texts := Catalog.load().spelled(name)))


@pytest.mark.parametrize(
    ("markers", "prompt"),
    [
        (QWEN, "<|fim_prefix|><|fim_suffix|>after<|fim_middle|>x = ("),
        (DEEPSEEK, "<｜fim▁begin｜>x = (<｜fim▁hole｜>after<｜fim▁end｜>"),
        (STARCODER, "<fim_prefix>x = (<fim_suffix>after<fim_middle>"),
        (CODESTRAL, "[SUFFIX]after[PREFIX]x = ("),
    ],
    ids=MODELS,
)
def test_the_order_and_the_spelling_of_each_family(markers: MarkerTexts, prompt: str) -> None:
    hole = hole_text(InfillRequest("x = (", "after", 8), markers)

    assert (hole.prompt, hole.repeated) == (prompt, "")


def test_a_model_that_nobody_knows_has_no_spelling() -> None:
    assert Catalog.load().spelled("gpt-9") is None


@pytest.mark.parametrize(
    ("prefix", "repeated", "must"),
    [("if x:\n    ", "    ", False), ("    return su", " su", True), ("f(a", "(a", True), ("x = 1", "", False)],
)
def test_what_is_left_to_the_answer(prefix: str, repeated: str, must: bool) -> None:
    hole = hole_text(InfillRequest(prefix, "", 8), QWEN)

    assert (hole.repeated, hole.must) == (repeated, must)
    assert hole.prompt.endswith(f"<|fim_middle|>{prefix.removesuffix(repeated)}")


def test_with_the_prefix_first_a_blank_line_stays_as_it_is() -> None:
    hole = hole_text(InfillRequest("if x:\n    ", "", 8), DEEPSEEK)

    assert hole.repeated == ""
    assert "if x:\n    <｜fim▁hole｜>" in hole.prompt


def test_other_files_go_in_front_where_the_family_has_words_for_them() -> None:
    request = InfillRequest("x = (", "", 8, path="a.py", repository="shop", extra=(Snippet("b.py", "B = 1"),))

    assert hole_text(request, QWEN).prompt.startswith(
        "<|repo_name|>shop\n<|file_sep|>b.py\nB = 1\n<|file_sep|>a.py\n<|fim_prefix|>"
    )
    assert "B = 1" not in hole_text(request, DEEPSEEK).prompt


@pytest.mark.parametrize("markers", [QWEN, DEEPSEEK, STARCODER, CODESTRAL], ids=MODELS)
def test_control_tokens_in_code_are_none(markers: MarkerTexts) -> None:
    tokens = (markers.prefix, markers.suffix, markers.middle, "<|im_end|>", "<|endoftext|>")
    code = "".join(f"'{token}' " for token in tokens if token)
    plain = hole_text(InfillRequest("1", "2", 8, extra=(Snippet("c.py", ""),)), markers).prompt

    prompt = hole_text(InfillRequest(f"{code} 1", f"{code} 2", 8, extra=(Snippet("c.py", code),)), markers).prompt

    for token in filter(None, tokens):
        assert prompt.count(token) == plain.count(token)


def test_a_conversation_in_chatml() -> None:
    asked = (Message("system", "Be brief."), Message("user", "Hi <|im_end|>"))
    head = (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi < |im_end|><|im_end|>\n<|im_start|>assistant\n"
    )

    assert conversation_text(asked, QWEN) == head
    assert conversation_text((*asked, Message("assistant", "Hel")), QWEN) == f"{head}Hel"


async def said(*texts: str) -> AsyncIterator[Chunk]:
    for text in texts:
        yield Chunk(text)
    yield Chunk("", StopReason.STOP)


@pytest.mark.parametrize(
    ("opening", "texts", "left"),
    [
        ("", ("a", "b"), "ab"),
        ("ab", ("abc", "d"), "cd"),
        ("ab", ("a", "b", "c"), "c"),
        ("ab", ("a", "c", "d"), "acd"),
        ("ab", ("a",), "a"),
        ("ab", ("x", "ab"), "xab"),
        ("ab", ("ab", "ab"), "ab"),
        ("ab", (), ""),
    ],
)
async def test_what_an_answer_repeats_is_left_out(opening: str, texts: tuple[str, ...], left: str) -> None:
    answer = await collect(without(opening, said(*texts)))

    assert (answer.text, answer.stop_reason) == (left, StopReason.STOP)


@pytest.mark.parametrize(("texts", "left"), [((" s", "um("), "m("), ((" / le", "n("), ""), ((" s",), "")])
async def test_an_answer_with_another_word_is_none(texts: tuple[str, ...], left: str) -> None:
    assert (await collect(without(" su", said(*texts), must=True))).text == left
