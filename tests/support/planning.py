"""Models, machines and settings for tests of planning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lsp_server.models.blueprint import Blueprint, parse_blueprint
from lsp_server.models.catalog import Catalog
from lsp_server.models.hardware import GB, Cpu, Gpu, Hardware, KernelRate, load_profile, shipped_profiles
from lsp_server.models.planning.anatomy import Anatomy, anatomy_of
from lsp_server.models.planning.auto import catalog_anatomy
from lsp_server.models.planning.settings import LoadSettings

MIB = 1 << 20
BLUEPRINTS = tuple(Catalog.load().models)
PROFILES = shipped_profiles()
GPU_PROFILES = tuple(name for name in PROFILES if load_profile(name).gpus)


def small_qwen() -> Anatomy:
    """Qwen2.5-Coder 0.5B."""
    return catalog_anatomy("qwen2.5-coder-0.5b")


def flagship() -> Anatomy:
    """DeepSeek-V4-Flash."""
    return catalog_anatomy("deepseek-v4-flash")


def settings(**changes: Any) -> LoadSettings:
    """Settings for the CPU alone, and what a test wants to be otherwise."""
    base = LoadSettings(n_gpu_layers=0, n_ctx=8192, n_ubatch=64, n_threads=4, n_threads_batch=4)
    return replace(base, **changes)


def blueprint(
    *,
    architecture: str = "llama",
    n_layers: int = 4,
    n_experts: int = 0,
    tied: bool = False,
    metadata: Mapping[str, object] = {},
    rows: str = "",
) -> Blueprint:
    """A small model: 256 wide, two key/value heads of 64, experts of which two take part in a token.

    Args:
        metadata: keys without the architecture, which win over the usual ones; None leaves a key out.
        rows: more tensors, as a blueprint has them.
    """
    usual: dict[str, object] = {
        "block_count": n_layers,
        "context_length": 32768,
        "embedding_length": 256,
        "feed_forward_length": 512,
        "attention.head_count": 4,
        "attention.head_count_kv": 2,
    }
    if n_experts:
        usual |= {"expert_count": n_experts, "expert_used_count": 2, "expert_feed_forward_length": 256}
    values = {key: value for key, value in {**usual, **metadata}.items() if value is not None}
    lines = [f'"{architecture}.{key}" = {str(value).lower()}' for key, value in values.items()]
    layers = f'layers = "0-{n_layers - 1}"'
    experts = (
        f'{{ name = "blk.{{layer}}.ffn_up_exps.weight", {layers}, shape = [256, 256, {n_experts}], type = "Q4_K" }},'
    )
    output = '{ name = "output.weight", shape = [256, 1000], type = "Q8_0" },'
    text = f"""
tensors = [
    {{ name = "token_embd.weight", shape = [256, 1000], type = "Q5_0" }},
    {{ name = "output_norm.weight", shape = [256], type = "F32" }},
    {"" if tied else output}
    {{ name = "blk.{{layer}}.attn_q.weight", {layers}, shape = [256, 256], type = "Q4_K" }},
    {{ name = "blk.{{layer}}.attn_norm.weight", {layers}, shape = [256], type = "F32" }},
    {{ name = "blk.{{layer}}.ffn_down.weight", {layers}, shape = [512, 256], type = "Q6_K" }},
    {experts if n_experts else ""}
    {rows}
]
[vocabulary]
n_tokens = 1000
pre = "test"
[metadata]
"general.architecture" = "{architecture}"
"general.name" = "A small model"
{chr(10).join(lines)}
"""
    return parse_blueprint(text, "small")


def model(**parts: Any) -> Anatomy:
    """The anatomy of ``blueprint``."""
    return anatomy_of(blueprint(**parts).shard_set())


CPU = Cpu("A processor", 8, ("avx2",), 1, 50.0 * GB)
RATES = {kind: KernelRate(20.0 * GB, 300.0 * GB) for kind in ("F16", "Q4_K", "Q4_K repacked", "Q5_0", "Q6_K", "Q8_0")}


def gpu(name: str = "CUDA0", gib: float = 24, **changes: Any) -> Gpu:
    """A GPU, all of whose memory is free."""
    size = int(gib * 1024 * MIB)
    return replace(Gpu(name, "A card", size, size, 900.0 * GB, 70e12, 25.0 * GB), **changes)


def machine(*gpus: Gpu, ram_gb: float = 64, **changes: Any) -> Hardware:
    """A machine, all of whose memory is available."""
    size = int(ram_gb * GB)
    return replace(Hardware("a machine", CPU, size, size, gpus, 3.0 * GB), **changes)
