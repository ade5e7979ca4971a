"""``shardlight plan`` and ``doctor`` as a user runs them: the real machine, the real library, a real model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.real_model


def run(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "lsp_server", *arguments, "--json"]
    result = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=False)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_model_that_is_here(small_model: Path) -> None:
    plan = run("plan", str(small_model), "--ctx", "4096", "--role", "completion")

    assert (plan["verdict"], plan["exact"], plan["settings"]["n_ctx"]) == ("fits", True, 4096)
    (ram,) = plan["devices"][-1:]
    assert ram["name"] == "CPU"
    assert ram["weights_bytes"] >= small_model.stat().st_size * 0.98
    # Four sequences.
    assert ram["kv_bytes"] == 4 * (48 << 20)
    assert ram["total_bytes"] < ram["budget_bytes"] < psutil.virtual_memory().total
    assert plan["predicted"]["decode_tokens_per_s"] > 1
    assert plan["predicted"]["prefill_tokens_per_s"] > plan["predicted"]["decode_tokens_per_s"]
    assert sum(plan["predicted"]["decode_costs_s"].values()) == pytest.approx(
        1 / plan["predicted"]["decode_tokens_per_s"]
    )
    assert plan["reasons"]


def test_a_model_that_is_not_here_on_this_machine_and_on_another() -> None:
    here, there = run("plan", "deepseek-v4-flash"), run("plan", "deepseek-v4-flash", "--hardware", "h200")

    assert here["hardware"] == "this machine"
    assert there["verdict"] == "fits"
    assert there["devices"][0]["name"] == "CUDA0"
    assert not here["exact"]
    assert not there["exact"]


def test_doctor_shows_the_machine(small_model: Path) -> None:
    hardware = run("doctor")["hardware"]

    assert hardware["here"] is True
    assert hardware["cpu"]["physical_cores"] >= 1
    # Where other programs are busy nothing is taken for measured; else it is what memory can be.
    if hardware["cpu"]["measured"]:
        assert 1e9 < hardware["cpu"]["bandwidth"] < 2e12
        assert hardware["cpu"]["kernels"]["Q4_K"]["stream"] > 1e8
    assert 0 < hardware["ram_available"] <= hardware["ram_total"]
    assert hardware["disk_read"] > 0
