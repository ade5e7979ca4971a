from __future__ import annotations

import json
from dataclasses import replace

from lsp_server.models.planning.plan import DeviceUse, Plan, Wishes
from lsp_server.models.planning.planner import make_plan
from lsp_server.models.planning.speed import Cost, Prediction
from tests.support.planning import flagship, gpu, machine, settings

USE = DeviceUse("CPU", "A processor", 100, 20, 3, 1000)


def test_in_json_everything_has_its_place() -> None:
    plan = make_plan(flagship(), machine(gpu(), gpu("CUDA1"), ram_gb=96), Wishes(n_ctx=4096))
    data = json.loads(json.dumps(plan.as_json()))
    assert (data["model"], data["hardware"], data["verdict"]) == ("deepseek-v4-flash", "a machine", "fits")
    assert data["exact"] is False
    assert [device["name"] for device in data["devices"]] == ["CUDA0", "CUDA1", "CPU"]
    for device in data["devices"]:
        parts = [device[f"{part}_bytes"] for part in ("weights", "kv", "compute")]
        assert device["total_bytes"] == sum(parts) <= device["budget_bytes"]
        assert device["description"]
    chosen = data["settings"]
    assert (chosen["n_ctx"], chosen["n_batch"]) == (4096, chosen["n_ubatch"])
    assert chosen["n_outputs_max"] == 16
    assert chosen["cpu_moe_layers"] == list(plan.settings.cpu_moe_layers)
    assert sum(chosen["tensor_split"]) == chosen["n_gpu_layers"]
    (pattern,) = chosen["tensor_overrides"]
    assert pattern.endswith("exps")
    speed = data["predicted"]
    assert speed["decode_tokens_per_s"] == plan.predicted.decode > 0
    assert speed["prefill_tokens_per_s"] == plan.predicted.prefill > 0
    assert "experts in RAM" in speed["decode_costs_s"]
    assert data["reasons"] == list(plan.reasons)
    assert data["suggestions"] == []


def test_what_is_unknown_is_null_and_no_word_that_json_lacks() -> None:
    unknown = Prediction(0.0, 0.0, (Cost("reading from disk", float("inf")), Cost("weights in RAM", 0.5)))
    plan = Plan("m", "h", Wishes(), settings(), (USE,), unknown, "from disk", ())
    data = json.loads(json.dumps(plan.as_json(), allow_nan=False))
    assert data["predicted"]["decode_costs_s"] == {"reading from disk": None, "weights in RAM": 0.5}


def test_a_device_holds_the_sum_of_its_parts() -> None:
    assert USE.n_bytes == 123
    assert replace(USE, kv_bytes=0).n_bytes == 103
