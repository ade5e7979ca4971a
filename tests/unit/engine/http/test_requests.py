from __future__ import annotations

from typing import Any

import pytest

from lsp_server.engine.chat import Message
from lsp_server.engine.http.requests import common_options, field, hole, messages
from lsp_server.engine.layout import Hole
from lsp_server.engine.native.sampler import SamplingParams
from lsp_server.engine.scheduler import Priority
from lsp_server.errors import InvalidRequestError
from lsp_server.text.snippet import Snippet


def options(**body: Any) -> Any:
    return common_options(body, priority="action")


def test_an_empty_body_is_a_greedy_answer_of_bounded_length() -> None:
    given = options()

    assert given.sampling == SamplingParams()
    assert given.sampling.temperature == 0
    assert (given.max_tokens, given.stop, given.stream, given.document) == (128, (), False, "")
    assert (given.priority, given.time_limit_ms, given.timings_per_token) == (Priority.ACTION, 0, False)


def test_every_option_is_read() -> None:
    given = options(
        n_predict=5,
        temperature=1,
        top_k=3,
        top_p=0.5,
        min_p=0.1,
        repeat_penalty=1.1,
        repeat_last_n=32,
        seed=7,
        grammar='root ::= "a"',
        stop=["\n", "```"],
        stream=True,
        priority="background",
        document="file",
        t_max_predict_ms=250,
        timings_per_token=True,
    )

    assert given.sampling == SamplingParams(1.0, 3, 0.5, 0.1, 1.1, 32, 7, 'root ::= "a"')
    assert (given.max_tokens, given.stop, given.stream, given.document) == (5, ("\n", "```"), True, "file")
    assert (given.priority, given.time_limit_ms, given.timings_per_token) == (Priority.BACKGROUND, 250, True)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"max_tokens": 3}, 3),
        ({"max_completion_tokens": 2, "max_tokens": 3}, 2),
        ({"n_predict": 1, "max_completion_tokens": 2, "max_tokens": 3}, 1),
        ({"n_predict": None, "max_tokens": 3}, 3),
        ({"n_predict": 0}, 0),
        ({"n_predict": -1}, 4096),
    ],
)
def test_the_length_in_everybodys_spelling(body: dict[str, Any], expected: int) -> None:
    assert options(**body).max_tokens == expected


@pytest.mark.parametrize(("stop", "expected"), [("\n", ("\n",)), ([], ()), (None, ()), (["a", "b"], ("a", "b"))])
def test_stop_is_a_text_or_a_list(stop: object, expected: tuple[str, ...]) -> None:
    assert options(stop=stop).stop == expected


@pytest.mark.parametrize(("seed", "expected"), [(None, None), (-1, None), (0, 0), (42, 42)])
def test_a_negative_seed_is_a_random_one(seed: object, expected: int | None) -> None:
    assert options(seed=seed).sampling.seed == expected


def test_an_empty_grammar_is_none() -> None:
    assert options(grammar="").sampling.grammar is None


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("n_predict", "5", "int"),
        ("n_predict", 5.5, "int"),
        ("n_predict", True, "int"),
        ("max_tokens", [], "int"),
        ("temperature", "hot", "int or float"),
        ("temperature", False, "int or float"),
        ("seed", 1.5, "int"),
        ("stop", 3, "str or list"),
        ("stream", 1, "bool"),
        ("grammar", {}, "str"),
        ("document", 3, "str"),
        ("t_max_predict_ms", "soon", "int or float"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(name: str, value: object, wanted: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{name} must be of type {wanted}, not {type(value).__name__}"):
        options(**{name: value})


def test_a_list_of_stops_holds_texts() -> None:
    with pytest.raises(InvalidRequestError, match=r"^stop must be a text or a list of texts"):
        options(stop=["a", 3])


def test_an_unknown_priority_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequestError, match="one of inline, action, background, not 'urgent'"):
        options(priority="urgent")


def test_null_is_the_default() -> None:
    assert field({"content": None}, "content", str, "x") == "x"
    assert field({}, "content", str, "x") == "x"


def test_a_hole() -> None:
    body = {
        "input_prefix": "before",
        "prompt": " begun",
        "input_suffix": "after",
        "input_path": "a.py",
        "repository": "shop",
        "input_extra": [{"filename": "b.py", "text": "B"}, {"text": "C"}],
    }

    assert hole(body) == Hole("before begun", "after", "a.py", "shop", (Snippet("b.py", "B"), Snippet("", "C")))
    assert hole({}) == Hole("", "", "", "repository", ())


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"input_prefix": 3}, "input_prefix"),
        ({"input_extra": {}}, "input_extra"),
        ({"input_extra": ["text"]}, r"input_extra\[0\]"),
        ({"input_extra": [{}, {"text": 3}]}, "text"),
    ],
)
def test_a_wrong_part_of_a_hole_is_named(body: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{name} must be"):
        hole(body)


def test_messages_in_both_forms_of_openai() -> None:
    body = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"content": [{"type": "text", "text": "Hello, "}, {"type": "text", "text": "you"}]},
        ]
    }

    assert messages(body) == [Message("system", "Be brief."), Message("user", "Hello, you")]
    assert messages({}) == []


@pytest.mark.parametrize(
    ("entries", "name"),
    [
        ("Hello", "messages"),
        (["Hello"], r"messages\[0\]"),
        ([{"role": "user"}], r"messages\[0\].content"),
        ([{"content": "a"}, {"content": 3}], r"messages\[1\].content"),
        ([{"role": 3, "content": "a"}], "role"),
    ],
)
def test_a_wrong_message_is_named(entries: object, name: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{name} must be"):
        messages({"messages": entries})
