"""Settings and plans for tests that do not care how they came about."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from lsp_server.models.planning.plan import DeviceUse, Plan, Wishes
from lsp_server.models.planning.settings import LoadSettings
from lsp_server.models.planning.speed import Prediction

MIB = 1 << 20
GPU_LAYERS = int(os.environ.get("SHARDLIGHT_TEST_GPU_LAYERS", "0"))


def settings(**changes: Any) -> LoadSettings:
    """Settings of a load on the CPU, or as the environment says; ``changes`` are fields of theirs."""
    plain = LoadSettings(n_gpu_layers=GPU_LAYERS, n_ctx=8192, n_ubatch=512, n_threads=2, n_threads_batch=2)
    return replace(plain, **changes)


def device(name: str = "CPU", weights: int = 0, kv: int = 0, compute: int = 0) -> DeviceUse:
    """A device that holds so many MiB."""
    return DeviceUse(name, f"The {name}", weights * MIB, kv * MIB, compute * MIB, budget_bytes=1024 * MIB)


def plan(*devices: DeviceUse, **changes: Any) -> Plan:
    """A plan that puts this on the devices, by these changes to ``settings``."""
    prediction = Prediction(decode=1.0, prefill=1.0, decode_costs=())
    return Plan("small", "this machine", Wishes(), settings(**changes), devices, prediction, "fits", ("because",))
