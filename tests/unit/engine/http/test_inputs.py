from __future__ import annotations

from typing import Any

import pytest

from lsp_server.engine.chat import Message
from lsp_server.engine.http.inputs import hole, known_names, messages, names, prompt, token_ids
from lsp_server.engine.layout import Hole
from lsp_server.errors import InvalidRequestError
from lsp_server.text.known_names import KnownNames
from lsp_server.text.snippet import Snippet


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


def test_names() -> None:
    assert names({}) == ()
    assert names({"names": ["area", "radius"]}) == ("area", "radius")


@pytest.mark.parametrize("wrong", ["area", ["area", 1], ["x"] * 1001, ["x" * 201]])
def test_wrong_names(wrong: Any) -> None:
    with pytest.raises(InvalidRequestError, match="names"):
        names({"names": wrong})


def test_known_names() -> None:
    body = {"known_names": [{"of": "self", "names": ["area"], "may_be_new": True}, {"of": "shapes", "names": []}]}
    assert known_names(body) == (KnownNames("self", ("area",), may_be_new=True), KnownNames("shapes", ()))
    assert known_names({}) == ()


@pytest.mark.parametrize(
    "wrong", [{}, ["self"], [{"of": 1}], [{"of": "self", "names": "area"}], [{"names": ["x"] * 1000}] * 11]
)
def test_wrong_known_names(wrong: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"names|of"):
        known_names({"known_names": wrong})


@pytest.mark.parametrize("name", ["tool_calls", "function_call"])
def test_what_the_assistant_called_is_not_left_out(name: str) -> None:
    with pytest.raises(InvalidRequestError, match=rf"^messages\[0\]\.{name} is not supported"):
        messages({"messages": [{"role": "assistant", "content": "", name: [{"id": "1"}]}]})

    assert messages({"messages": [{"role": "assistant", "content": "a", name: None}]}) == [Message("assistant", "a")]


def test_a_picture_is_not_left_out() -> None:
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:"}}]

    with pytest.raises(InvalidRequestError, match=r"^messages\[0\]\.content\[1\] must be a text"):
        messages({"messages": [{"role": "user", "content": parts}]})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, ""),
        ("a", "a"),
        (["a"], "a"),
        ([1, 2], [1, 2]),
        ([1], [1]),
        ([[1, 2]], [1, 2]),
        ([], []),
    ],
)
def test_a_prompt_in_everybodys_form(given: object, expected: object) -> None:
    assert prompt({"prompt": given}) == expected


@pytest.mark.parametrize("wrong", [3, ["a", "b"], [1, "a"], [True], [[1], [2]], [["a"]], {"prompt_string": "a"}])
def test_several_prompts_and_other_things_are_refused(wrong: object) -> None:
    with pytest.raises(InvalidRequestError, match=r"^prompt must be one text or one list of token ids"):
        prompt({"prompt": wrong})


@pytest.mark.parametrize("wrong", [-1, 10, True, "1", 1.0, None])
def test_a_token_that_there_is_not_is_named(wrong: object) -> None:
    assert token_ids("tokens", [0, 9], 10) == [0, 9]

    with pytest.raises(InvalidRequestError, match=r"^tokens\[1\] must be the id of a token, from 0 to 9"):
        token_ids("tokens", [0, wrong], 10)
