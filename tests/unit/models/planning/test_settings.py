from __future__ import annotations

import re

from lsp_server.models.blueprint import load_blueprint
from lsp_server.models.card import group_of
from lsp_server.models.planning.plan import SEQUENCES
from lsp_server.models.planning.settings import MOST_OUTPUTS
from tests.support.planning import settings


def test_the_patterns_keep_exactly_those_layers_experts() -> None:
    (pattern,) = settings(cpu_moe_layers=(1, 4, 42)).tensor_overrides
    names = [tensor.name for tensor in load_blueprint("deepseek-v4-flash").shard_set().tensors]
    # llama.cpp searches, as ``--override-tensor`` does.
    kept = {name for name in names if re.search(pattern, name)}
    assert kept == {n for n in names if group_of(n) == "experts" and n.split(".")[1] in ("1", "4", "42")}
    assert len(kept) == 9


def test_no_layer_no_pattern() -> None:
    assert settings().tensor_overrides == ()


def test_a_step_is_one_graph() -> None:
    assert settings(n_ubatch=128).n_batch == 128


def test_a_step_has_a_row_of_logits_for_each_sequence_or_all_guesses_of_one() -> None:
    assert settings(n_seq_max=SEQUENCES).n_outputs_max == MOST_OUTPUTS == 16
    assert SEQUENCES <= MOST_OUTPUTS
