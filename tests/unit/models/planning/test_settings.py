from __future__ import annotations

import re

from lsp_server.models.blueprint import load_blueprint
from lsp_server.models.card import group_of
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


def test_a_step_is_one_graph_and_a_sequence_one_row_of_logits() -> None:
    chosen = settings(n_ubatch=128, n_seq_max=3)
    assert (chosen.n_batch, chosen.n_outputs_max) == (128, 3)
