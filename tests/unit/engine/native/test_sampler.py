"""llama.cpp's samplers on the vocabulary of a tiny model, over logits that are made up here.

In that vocabulary the byte b is token b + 5, and 1 is the only token that ends an answer.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from lsp_server.engine.native.model import NativeModel
from lsp_server.engine.native.sampler import NativeSampler
from lsp_server.engine.sampling import SAMPLERS, SamplingParams
from lsp_server.errors import InvalidRequestError
from tests.support.loads import settings

END = 1


def token(letter: str) -> int:
    return ord(letter) + 5


class Rows:
    """Rows of logits: 0 for all tokens but those that are named."""

    def __init__(self, n_vocab: int, *rows: dict[int | str, float]) -> None:
        self._rows: list[npt.NDArray[np.float32]] = []
        for row in rows:
            logits = np.zeros(n_vocab, dtype=np.float32)
            for key, logit in row.items():
                logits[token(key) if isinstance(key, str) else key] = logit
            self._rows.append(logits)

    def logits(self, row: int = -1) -> npt.NDArray[np.float32]:
        logits = self._rows[row]
        # A context's own memory must not be written to.
        logits.setflags(write=False)
        return logits


@pytest.fixture(scope="module")
def model(tiny_deepseek4: Path) -> Iterator[NativeModel]:
    model = NativeModel(tiny_deepseek4, settings(n_ctx=256, use_extra_bufts=False))
    assert model.piece(token("a")) == b"a"
    assert model.is_end(END)
    yield model
    model.close()


Make = Callable[..., NativeSampler]


@pytest.fixture
def sampler(model: NativeModel) -> Iterator[Make]:
    """Makes samplers, and frees them in the end."""
    made: list[NativeSampler] = []

    def make(**params: Any) -> NativeSampler:
        made.append(NativeSampler(model, SamplingParams(**params)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_greedy_takes_the_likeliest_of_the_row_that_is_asked_for(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, {"a": 2, "b": 1}, {"a": 1, "b": 2}, {"c": 3})
    greedy = sampler()

    assert [greedy.sample(rows, row) for row in (0, 1, 2)] == [token("a"), token("b"), token("c")]
    assert greedy.sample(rows) == token("c")


def test_of_equals_the_first_is_taken(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, {"x": 2, "c": 2})

    assert sampler().sample(rows) == token("c")


def test_the_same_seed_chooses_the_same(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, dict.fromkeys("abcdefgh", 5.0))

    def chosen(seed: int | None) -> list[int]:
        drawing = sampler(temperature=1.0, seed=seed)
        return [drawing.sample(rows) for _ in range(40)]

    assert chosen(7) == chosen(7)
    assert chosen(7) != chosen(8)
    assert chosen(None) != chosen(None)


def test_what_is_drawn_is_as_likely_as_the_model_says(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, {"a": 20.0 + math.log(3), "b": 20.0})
    drawing = sampler(temperature=1.0, seed=1)
    counts = Counter(drawing.sample(rows) for _ in range(2000))

    assert set(counts) == {token("a"), token("b")}
    assert counts[token("a")] / 2000 == pytest.approx(0.75, abs=0.05)


@pytest.mark.parametrize(
    ("params", "left"),
    [
        ({"top_k": 2}, "ab"),
        ({"top_k": 0, "top_p": 0.6}, "ab"),
        ({"min_p": 0.7}, "ab"),
        ({"top_n_sigma": 0.01}, "a"),
        ({"top_k": 3, "typical_p": 0.01}, "b"),
        ({"samplers": ("top_k",), "top_k": 1, "min_p": 1.0}, "a"),
        ({"samplers": ()}, "abcd"),
        ({"xtc_probability": 1.0, "xtc_threshold": 0.2, "samplers": ("xtc",)}, "cd"),
        ({"temperature": 0.001}, "a"),
        ({"temperature": 1.0, "dynatemp_range": 0.99, "samplers": ("top_k", "temperature"), "top_k": 4}, "abcd"),
        ({"mirostat": 2, "mirostat_tau": 0.1, "mirostat_eta": 0.0}, "a"),
        ({"mirostat": 1, "mirostat_tau": 0.01, "mirostat_eta": 0.0}, "a"),
        ({"samplers": ("top_k", "adaptive_p"), "adaptive_target": 0.9, "top_k": 4}, "abcd"),
    ],
)
def test_what_the_samplers_leave_is_what_can_be_drawn(
    model: NativeModel, sampler: Make, params: dict[str, Any], left: str
) -> None:
    # Probabilities of about 0.32, 0.29, 0.22 and 0.18.
    plain = {"top_k": 40, "top_p": 1.0, "min_p": 0.0}
    rows = Rows(model.n_vocab, {"a": 20.6, "b": 20.5, "c": 20.2, "d": 20.0})
    drawing = sampler(**{**plain, "temperature": 1.0, "seed": 3, **params})

    assert {drawing.sample(rows) for _ in range(200)} <= {token(letter) for letter in left}


def test_all_samplers_in_one_chain(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, {"a": 22.0, "b": 20.0})
    drawing = sampler(temperature=0.8, samplers=tuple(SAMPLERS), dry_multiplier=0.8, repeat_penalty=1.1, min_keep=2)

    assert {drawing.sample(rows) for _ in range(20)} <= {token("a"), token("b")}


@pytest.mark.parametrize("n", [-1, 2**31 - 1])
@pytest.mark.parametrize("temperature", [0.0, 0.01])
def test_what_was_said_is_less_likely_to_be_said_again(
    model: NativeModel, sampler: Make, n: int, temperature: float
) -> None:
    rows = Rows(model.n_vocab, {"a": 2.0, "b": 1.9})
    penalizing = sampler(temperature=temperature, presence_penalty=0.3, repeat_last_n=n)

    assert [penalizing.sample(rows) for _ in range(3)] == [token("a"), token("b"), token("a")]


def test_a_penalty_looks_back_so_far(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, {"a": 2.0, "b": 1.9, "c": 1.8})

    assert [penalizing.sample(rows) for penalizing in [sampler(presence_penalty=1.0, repeat_last_n=1)] * 4] == [
        token(letter) for letter in "abab"
    ]


def test_what_the_prompt_said_can_count(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, {"a": 2.0, "b": 1.9})
    penalizing = sampler(repeat_penalty=1.5)
    penalizing.remember([token("a")])

    assert penalizing.sample(rows) == token("b")


def test_dry_stops_a_repeated_sequence_and_is_reset_by_a_breaker(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, {"d": 2.0, "z": 1.0})
    dry: dict[str, Any] = {"dry_multiplier": 5.0, "dry_penalty_last_n": -1}
    said = [token(letter) for letter in "abcdabc"]

    repeating = sampler(**dry, dry_sequence_breakers=("\n",))
    repeating.remember(said)
    assert repeating.sample(rows) == token("z")

    broken = sampler(**dry, dry_sequence_breakers=("c",))
    broken.remember(said)
    assert broken.sample(rows) == token("d")


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_bias_by_id_and_by_text(model: NativeModel, sampler: Make, temperature: float) -> None:
    rows = Rows(model.n_vocab, {"a": 30.0, "b": 29.0})
    forbidding = sampler(temperature=temperature, logit_bias=((token("a"), -math.inf), ("b", -40.0), ("c", 60.0)))

    assert {forbidding.sample(rows) for _ in range(20)} == {token("c")}


def test_biases_of_the_same_token_add_up(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, {"a": 3.0, "b": 2.0})

    assert sampler(logit_bias=((token("b"), 0.6), ("b", 0.6))).sample(rows) == token("b")


@pytest.mark.parametrize("wrong", [-1, 1024])
def test_a_bias_of_a_token_that_there_is_not(sampler: Make, wrong: int) -> None:
    with pytest.raises(InvalidRequestError, match=f"^logit_bias must name tokens below 1024, not {wrong}"):
        sampler(logit_bias=((wrong, 1.0),))


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"temperature": 1.0},
        {"repeat_penalty": 1.1},
        {"samplers": ("top_k", "infill")},
        {"temperature": 1.0, "samplers": ("top_k", "infill")},
        {"mirostat": 1, "temperature": 1.0},
        {"mirostat": 2, "temperature": 1.0},
        {"grammar": 'root ::= "a"*'},
    ],
)
def test_an_end_that_is_ignored_is_never_chosen(model: NativeModel, sampler: Make, params: dict[str, Any]) -> None:
    rows = Rows(model.n_vocab, {END: 40.0, "a": 20.0})

    assert sampler(**params).sample(rows) == END
    going_on = sampler(**params, ignore_eos=True)
    assert {going_on.sample(rows) for _ in range(20)} == {token("a")}


def test_a_begun_word_is_finished_by_the_likeliest_that_spells_it(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, {"x": 9.0, "r": 1.0, END: 20.0}, {"e": 5.0, "a": 6.0})
    finishing = sampler(ignore_eos=True)

    assert finishing.sample(rows, 0, begun=b"re") == token("r")
    assert finishing.sample(rows, 1, begun=b"e") == token("e")
    assert finishing.sample(rows, 1) == token("a")


def test_a_begun_word_counts_as_said(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, {"a": 2.0, "b": 1.9})
    penalizing = sampler(presence_penalty=0.3)

    assert [penalizing.sample(rows, begun=b"a"), penalizing.sample(rows)] == [token("a"), token("b")]


def test_a_begun_word_that_may_not_be_said_is_not(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, {"b": 1.0})
    forbidden = tuple((int(one), -math.inf) for one in model.continuations(b"q"))

    assert sampler(logit_bias=forbidden).sample(rows, begun=b"q") == token("b")


@pytest.mark.parametrize("params", [{}, {"temperature": 1.0, "seed": 1}, {"repeat_penalty": 1.2}])
def test_a_grammar_over_several_rows(model: NativeModel, sampler: Make, params: dict[str, Any]) -> None:
    rows = Rows(model.n_vocab, {"x": 30.0, "a": 20.0}, {"b": 30.0}, {END: 30.0, "c": 20.0}, {"x": 30.0, END: -5.0})
    constrained = sampler(grammar='root ::= "abc"', **params)

    # The model's own choice is taken in the second row, and replaced in the others.
    assert [constrained.sample(rows, row) for row in range(4)] == [*map(token, "abc"), END]


@pytest.mark.parametrize("params", [{}, {"temperature": 1.0}, {"repeat_penalty": 1.2}, {"mirostat": 1}])
def test_a_grammar_that_is_through_ends_the_answer_even_if_ends_are_ignored(
    model: NativeModel, sampler: Make, params: dict[str, Any]
) -> None:
    rows = Rows(model.n_vocab, {"x": 30.0})
    constrained = sampler(grammar='root ::= "a"', ignore_eos=True, **params)

    assert [constrained.sample(rows) for _ in range(3)] == [token("a"), END, END]


def test_a_grammar_whose_tokens_are_all_forbidden_ends_the_answer(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, {"x": 30.0})

    assert sampler(grammar='root ::= "a"', logit_bias=(("a", -math.inf),)).sample(rows) == END


def test_the_infill_sampler_does_not_overrule_a_grammar(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, {END: 40.0, "a": 20.0, "b": 30.0})
    constrained = sampler(grammar='root ::= "aa"', samplers=("top_k", "infill"))

    assert [constrained.sample(rows) for _ in range(3)] == [token("a"), token("a"), END]


@pytest.mark.parametrize("grammar", ['start ::= "a"', 'root ::= "a" nothing', "\ud800"])
def test_a_grammar_that_is_none_is_refused(sampler: Make, grammar: str) -> None:
    with pytest.raises(InvalidRequestError, match="grammar is not valid GBNF"):
        sampler(grammar=grammar)


def test_the_infill_sampler_ends_where_ends_are_likely_and_joins_what_begins_alike(
    model: NativeModel, sampler: Make
) -> None:
    order = ("top_k", "top_p", "infill")
    ended = Rows(model.n_vocab, {"a": 20.0, "b": 20.0, END: 19.0})
    aa = model.tokenize("aa")
    assert len(aa) == 1
    # Neither of those with an a is as likely as x, together they are likelier.
    alike = Rows(model.n_vocab, {"x": 20.0, "a": 19.8, aa[0]: 19.7})
    plain = sampler()

    assert plain.sample(ended) == token("a")
    assert sampler(samplers=order, top_p=0.99).sample(ended) == END
    drawing = sampler(samplers=order, top_p=0.99, temperature=1.0, seed=1)
    assert {drawing.sample(alike) for _ in range(30)} <= {token("x"), token("a")}


def test_the_infill_sampler_is_never_shown_the_whole_vocabulary(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, {"a": 1.0})

    sampler(samplers=("top_p", "infill"), top_p=1.0, temperature=1.0).sample(rows)


def test_a_closed_sampler_can_be_closed_again(sampler: Make) -> None:
    one = sampler(temperature=1.0, grammar='root ::= "a"')
    one.close()
    one.close()


def test_a_favoured_token_is_chosen_unless_another_is_much_likelier(model: NativeModel, sampler: Make) -> None:
    rows = Rows(model.n_vocab, {"x": 9.0, "a": 5.0, "b": 4.5}, {"x": 16.0, "a": 5.0})
    favoured = np.isin(np.arange(model.n_vocab), [token("a"), token("b")])

    assert sampler().sample(rows, 0, favoured=favoured) == token("a")
    assert sampler().sample(rows, 1, favoured=favoured) == token("x")
    # Nothing that was evaluated is changed.
    assert sampler().sample(rows, 0) == token("x")
