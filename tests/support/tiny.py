"""A DeepSeek-V4 of a few MB with random weights: the real architecture, for tests that need its shape and memory."""

from __future__ import annotations

from pathlib import Path

from lsp_server.models.blueprint import Blueprint, parse_blueprint
from tools.gguf_files import write_files


def tiny_deepseek4() -> Blueprint:
    """What it is made of."""
    return parse_blueprint(Path(__file__).with_name("tiny_deepseek4.toml").read_text("utf-8"), "tiny-deepseek4")


def write_tiny_deepseek4(folder: Path) -> Path:
    """Write its two shards; returns the first one's path."""
    return write_files(tiny_deepseek4(), folder, random=True)[0]
