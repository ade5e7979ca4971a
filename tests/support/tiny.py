"""Models of a few MB with random weights: real architectures, for tests that need their shape and memory."""

from __future__ import annotations

from pathlib import Path

from lsp_server.models.blueprint import Blueprint, parse_blueprint
from tools.gguf_files import write_files


def tiny(name: str) -> Blueprint:
    """What one is made of: ``deepseek4``, ``gemma3`` or ``mamba``."""
    return parse_blueprint(Path(__file__).with_name(f"tiny_{name}.toml").read_text("utf-8"), f"tiny-{name}")


def write_tiny(name: str, folder: Path) -> Path:
    """Write its files; returns the path of the one to load."""
    return write_files(tiny(name), folder, random=True)[0]


def tiny_deepseek4() -> Blueprint:
    """What the DeepSeek-V4 is made of."""
    return tiny("deepseek4")


def write_tiny_deepseek4(folder: Path) -> Path:
    """Write its two shards; returns the first one's path."""
    return write_tiny("deepseek4", folder)
