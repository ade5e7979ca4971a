from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import pytest

from lsp_server.engine.sampling import DEFAULT_ORDER, SAMPLERS, SamplingParams, sampler_order
from lsp_server.errors import InvalidRequestError


def test_the_default_order_is_llama_cpps() -> None:
    assert DEFAULT_ORDER == (
        "penalties",
        "dry",
        "top_n_sigma",
        "top_k",
        "typ_p",
        "top_p",
        "min_p",
        "xtc",
        "temperature",
    )


def test_every_number_is_bounded() -> None:
    bounded = {f.name for f in fields(SamplingParams) if "low" in f.metadata}

    assert bounded == {f.name for f in fields(SamplingParams) if f.type in ("int", "float")}


@pytest.mark.parametrize("name", [f.name for f in fields(SamplingParams) if "low" in f.metadata])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**40])
def test_no_number_is_endless(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{name} must be "):
        SamplingParams(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("temperature", -0.1, "at least 0"),
        ("top_p", 1.1, "between 0 and 1"),
        ("min_p", -1, "between 0 and 1"),
        ("top_k", -2, "at least -1"),
        ("repeat_penalty", 0, "at least 1e-06"),
        ("mirostat", 3, "between 0 and 2"),
        ("repeat_last_n", -2, "at least -1"),
        ("dry_penalty_last_n", -2, "at least -1"),
    ],
)
def test_what_is_out_of_range_is_named(name: str, value: Any, wanted: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{name} must be {wanted}, not {value}"):
        SamplingParams(**{name: value})


@pytest.mark.parametrize("bias", [math.inf, math.nan, 1e30])
def test_a_bias_is_finite_or_forbids(bias: float) -> None:
    SamplingParams(logit_bias=((3, -math.inf), ("x", -100.0)))

    with pytest.raises(InvalidRequestError, match=r"^logit_bias must be "):
        SamplingParams(logit_bias=((3, bias),))


@pytest.mark.parametrize("count", [0, 33])
def test_the_number_of_breakers_is_bounded(count: int) -> None:
    with pytest.raises(InvalidRequestError, match=r"^dry_sequence_breakers must be 1 to 32 texts"):
        SamplingParams(dry_sequence_breakers=("\n",) * count)


def test_an_unknown_sampler_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequestError, match=r"^samplers must be of penalties, dry, .*, not 'top_z'"):
        SamplingParams(samplers=("top_k", "top_z"))


@pytest.mark.parametrize("order", [("infill",), ("infill", "top_k"), ("min_p", "infill", "top_p")])
def test_infill_comes_after_what_narrows_the_choice(order: tuple[str, ...]) -> None:
    SamplingParams(samplers=("top_k", "infill"))
    SamplingParams(samplers=("min_p", "top_p", "infill"))

    with pytest.raises(InvalidRequestError, match=r"^samplers must have top_k or top_p before infill"):
        SamplingParams(samplers=order)


@pytest.mark.parametrize(
    ("given", "order"),
    [
        ("edkypmxt", ("penalties", "dry", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature")),
        ("kpi", ("top_k", "top_p", "infill")),
        ("", ()),
        ((), ()),
        (("top-k", "Top_P", "minp", "typical_p", "typ", "temp", "nucleus"), None),
        (tuple(SAMPLERS), tuple(SAMPLERS)),
    ],
)
def test_an_order_in_every_spelling(given: str | tuple[str, ...], order: tuple[str, ...] | None) -> None:
    expected = order if order is not None else ("top_k", "top_p", "min_p", "typ_p", "typ_p", "temperature", "top_p")

    assert sampler_order(given) == expected


@pytest.mark.parametrize("given", ["kz", ("top_k", "z")])
def test_what_is_unknown_stays_as_it_was_spelled(given: str | tuple[str, ...]) -> None:
    assert sampler_order(given) == ("top_k", "z")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"top_k": 1, "top_p": 0.1, "min_p": 0.5, "top_n_sigma": 1.0, "mirostat": 2}, False),
        ({"repeat_penalty": 1.1}, True),
        ({"presence_penalty": 0.1}, True),
        ({"frequency_penalty": -0.1}, True),
        ({"repeat_penalty": 1.1, "repeat_last_n": 0}, False),
        ({"repeat_penalty": 1.1, "samplers": ("top_k",)}, False),
        ({"dry_multiplier": 0.8}, True),
        ({"dry_multiplier": 0.8, "dry_base": 0.5}, False),
        ({"typical_p": 0.5}, True),
        ({"xtc_probability": 0.5}, True),
        ({"xtc_probability": 0.5, "xtc_threshold": 0.6}, False),
        ({"samplers": ("top_k", "infill")}, True),
    ],
)
def test_what_can_change_the_likeliest(changes: dict[str, Any], expected: bool) -> None:
    assert SamplingParams(**changes).changes_the_likeliest is expected
