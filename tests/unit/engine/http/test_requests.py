from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import pytest

from lsp_server.engine.http.answer_form import JSON_OBJECT
from lsp_server.engine.http.fields import field
from lsp_server.engine.http.inputs import hole
from lsp_server.engine.http.requests import _READERS, common_options
from lsp_server.engine.lanes import Priority
from lsp_server.engine.sampling import DEFAULT_ORDER, SamplingParams
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
    assert (given.n_indent, given.n_probs, given.speculative_n_max, given.response_fields) == (0, None, None, ())


# By name: what is sent, and what is understood.
SAMPLING: dict[str, tuple[Any, Any]] = {
    "temperature": (1, 1.0),
    "dynatemp_range": (0.5, 0.5),
    "dynatemp_exponent": (2.0, 2.0),
    "top_k": (3, 3),
    "top_p": (0.5, 0.5),
    "min_p": (0.1, 0.1),
    "top_n_sigma": (1.5, 1.5),
    "typical_p": (0.9, 0.9),
    "xtc_probability": (0.2, 0.2),
    "xtc_threshold": (0.3, 0.3),
    "repeat_last_n": (32, 32),
    "repeat_penalty": (1.1, 1.1),
    "presence_penalty": (0.4, 0.4),
    "frequency_penalty": (-0.4, -0.4),
    "dry_multiplier": (0.8, 0.8),
    "dry_base": (2, 2.0),
    "dry_allowed_length": (4, 4),
    "dry_penalty_last_n": (-1, -1),
    "dry_sequence_breakers": (["\n"], ("\n",)),
    "mirostat": (2, 2),
    "mirostat_tau": (4.0, 4.0),
    "mirostat_eta": (0.2, 0.2),
    "adaptive_target": (0.7, 0.7),
    "adaptive_decay": (0.5, 0.5),
    "min_keep": (1, 1),
    "seed": (7, 7),
    "logit_bias": ([[5, 1], ["no", False]], ((5, 1.0), ("no", -math.inf))),
    "ignore_eos": (True, True),
    "samplers": (["top-k", "temp"], ("top_k", "temperature")),
    "grammar": ('root ::= "a"', 'root ::= "a"'),
}


def test_every_field_of_the_sampling_can_be_read() -> None:
    assert set(SAMPLING) == {f.name for f in fields(SamplingParams)}
    assert {f.type for f in fields(SamplingParams)} == set(_READERS)


def test_every_option_is_read() -> None:
    given = options(
        n_predict=5,
        **{name: value for name, (value, _) in SAMPLING.items()},
        stop=["\n", "```"],
        stream=True,
        priority="background",
        document="file",
        t_max_predict_ms=250,
        timings_per_token=True,
        n_indent=4,
        n_probs=3,
        response_fields=["content", "timings/prompt_n"],
        **{"speculative.n_max": 7},
    )

    assert given.sampling == SamplingParams(**{name: read for name, (_, read) in SAMPLING.items()})
    assert (given.n_indent, given.n_probs, given.speculative_n_max) == (4, 3, 7)
    assert given.response_fields == ("content", "timings/prompt_n")
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


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"15043": 1, "no": -2.5}, ((15043, 1.0), ("no", -2.5))),
        ({"7": False}, ((7, -math.inf),)),
        ([[7, False], ["7", 1]], ((7, -math.inf), ("7", 1.0))),
        ({}, ()),
        ([], ()),
    ],
)
def test_a_bias_in_both_forms_of_llama_server(sent: object, expected: object) -> None:
    assert options(logit_bias=sent).sampling.logit_bias == expected


@pytest.mark.parametrize(
    "wrong", [[7], [[7]], [[7, 1, 2]], [[7, "1"]], [[7, True]], [[True, 1]], [[1.5, 1]], {"7": None}, {"7": {}}]
)
def test_a_wrong_bias_is_named(wrong: object) -> None:
    with pytest.raises(InvalidRequestError, match=r"^logit_bias\[0\] must be"):
        options(logit_bias=wrong)


@pytest.mark.parametrize(
    ("samplers", "order"), [(None, DEFAULT_ORDER), ([], ()), ("kt", ("top_k", "temperature")), ("", ())]
)
def test_an_order(samplers: object, order: tuple[str, ...]) -> None:
    assert options(samplers=samplers).sampling.samplers == order


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"logprobs": True}, 0),
        ({"logprobs": True, "top_logprobs": 5}, 5),
        ({"logprobs": False}, None),
        ({"logprobs": False, "top_logprobs": 0}, None),
        ({"logprobs": 0}, 0),
        ({"logprobs": 4}, 4),
        ({"n_probs": 0}, None),
        ({"n_probs": 2, "logprobs": 4}, 2),
    ],
)
def test_probabilities_in_everybodys_spelling(body: dict[str, Any], expected: int | None) -> None:
    assert options(**body).n_probs == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"top_logprobs": 3}, "top_logprobs needs logprobs to be true"),
        ({"logprobs": True, "top_logprobs": -1}, "top_logprobs must be between 0 and 1000, not -1"),
        ({"logprobs": -1}, "logprobs must be between 0 and 1000"),
        ({"logprobs": "yes"}, "logprobs must be of type bool or int, not str"),
        ({"n_probs": 1001}, "n_probs must be between 0 and 1000"),
        ({"n_indent": -1}, "n_indent must be at least 0, not -1"),
        ({"n_indent": "4"}, "n_indent must be of type int, not str"),
        ({"speculative.n_max": -1}, "speculative.n_max must be at least 0"),
        ({"response_fields": "content"}, "response_fields must be of type list"),
        ({"response_fields": [3]}, "response_fields must be a list of texts"),
        ({"samplers": ["top_z"]}, "samplers must be of penalties, dry"),
        ({"samplers": [3]}, "samplers must be a text or a list of texts"),
        ({"samplers": "kz"}, "samplers must be of penalties, dry, .*, not 'z'"),
        ({"dry_sequence_breakers": []}, "dry_sequence_breakers must be 1 to 32 texts"),
        ({"dry_sequence_breakers": "x"}, "dry_sequence_breakers must be of type list"),
        ({"top_p": 2}, "top_p must be between 0 and 1, not 2.0"),
        ({"temperature": 10**400}, "temperature must be between 0 and 1e"),
        ({"mirostat": 3}, "mirostat must be between 0 and 2"),
        ({"ignore_eos": 1}, "ignore_eos must be of type bool"),
        ({"logit_bias": 3}, "logit_bias must be of type list or dict"),
        ({"logit_bias": [[1, 10**400]]}, "logit_bias must be between"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{message}"):
        options(**body)


def test_a_negative_time_limit_is_none() -> None:
    assert options(t_max_predict_ms=-1).time_limit_ms == 0


def test_what_llama_vim_sends() -> None:
    body = {
        "id_slot": 0,
        "input_prefix": "def f():\n",
        "input_suffix": "\n",
        "input_extra": [{"text": "B", "time": [3, 4], "filename": "b.py"}],
        "prompt": "    return ",
        "n_predict": 128,
        "stop": [],
        "n_indent": 4,
        "top_k": 40,
        "top_p": 0.9,
        "stream": False,
        "samplers": ["top_k", "top_p", "infill"],
        "cache_prompt": True,
        "n_cache_reuse": 256,
        "t_max_prompt_ms": 500,
        "t_max_predict_ms": 1000,
        "response_fields": ["content", "timings/prompt_n", "truncated"],
    }
    given = common_options(body, priority="inline")

    assert hole(body).extra == (Snippet("b.py", "B"),)
    assert given.sampling == SamplingParams(top_p=0.9, samplers=("top_k", "top_p", "infill"))
    assert (given.n_indent, given.time_limit_ms, given.max_tokens) == (4, 1000, 128)


def test_what_llama_vscode_sends() -> None:
    warming = options(n_predict=0, samplers=[], cache_prompt=True, t_max_prompt_ms=1, t_max_predict_ms=1)
    assert (warming.max_tokens, warming.sampling.samplers) == (0, ())

    chat = options(
        samplers="edkypmxt",
        temperature=0.8,
        dynatemp_range=0,
        dynatemp_exponent=1,
        top_k=40,
        top_p=0.95,
        min_p=0.05,
        typical_p=1,
        xtc_probability=0,
        xtc_threshold=0.1,
        repeat_last_n=64,
        repeat_penalty=1,
        presence_penalty=0,
        frequency_penalty=0,
        dry_multiplier=0,
        dry_base=1.75,
        dry_allowed_length=2,
        dry_penalty_last_n=-1,
        max_tokens=-1,
        timings_per_token=False,
        lora=[],
        tools=[],
        tool_choice="auto",
    )
    order = tuple(name for name in DEFAULT_ORDER if name != "top_n_sigma")
    assert chat.sampling == SamplingParams(temperature=0.8, dry_penalty_last_n=-1, samplers=order)


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


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, False),
        ({"stream_options": None}, False),
        ({"stream_options": {}}, False),
        ({"stream_options": {"include_usage": True, "include_obfuscation": False}}, True),
    ],
)
def test_usage_is_told_to_who_asks(body: dict[str, Any], expected: bool) -> None:
    assert options(**body).include_usage is expected


@pytest.mark.parametrize("form", [None, {}, {"type": "text"}])
def test_any_form_is_no_grammar(form: object) -> None:
    assert options(response_format=form).sampling.grammar is None


def test_json_is_a_grammar() -> None:
    assert options(response_format={"type": "json_object"}).sampling.grammar == JSON_OBJECT


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"response_format": "json"}, "response_format must be of type dict"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format of type json_schema is not"),
        ({"response_format": {"type": "json_object"}, "grammar": "root ::= [a]"}, "response_format and grammar"),
    ],
)
def test_a_form_that_is_not_made_is_named(body: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{message}"):
        options(**body)
