"""A model card for people: facts in one table, the sizes of its parts in another."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lsp_server.models.card import ModelCard
from lsp_server.models.files import human_size


def human_count(count: int) -> str:
    """A number of parameters or tokens in a few digits: ``284.5 B``, ``630 M``."""
    for unit, size in (("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= size:
            return (
                f"{count / size:.1f} {unit}"
                if count < 1000 * size and count / size < 100
                else f"{count / size:.0f} {unit}"
            )
    return str(count)


def facts(card: ModelCard) -> Iterator[tuple[str, str]]:
    """(what, value) pairs; what the files do not say is left out."""
    yield "architecture", card.architecture
    active = f", {human_count(card.n_active_params)} active per token" if card.expert_count else ""
    yield "parameters", human_count(card.n_params) + active
    if card.expert_count:
        shared = f", and {card.expert_shared_count} shared" if card.expert_shared_count else ""
        yield "experts", f"{card.expert_used_count or '?'} of {card.expert_count} per token{shared}"
    total = sum(size for _, size in card.quantization) or 1
    yield (
        "quantization",
        ", ".join(f"{name} {size / total:.0%}" for name, size in card.quantization if size / total >= 0.005),
    )
    if card.n_params:
        yield "bits per weight", f"{card.tensor_bytes * 8 / card.n_params:.2f}"
    if card.n_layers:
        yield "layers", str(card.n_layers)
    if card.n_heads:
        yield "attention", _attention(card)
    if card.context_length:
        yield "context", f"{card.context_length:,} tokens"
    if card.n_vocab:
        yield "vocabulary", f"{card.n_vocab:,} tokens"
    yield "fill-in-the-middle", "yes" if card.fim else "no"
    yield "chat template", "yes" if card.chat_template else "no"
    if card.licence:
        yield "licence", card.licence
    yield "files", f"{human_size(card.file_bytes)} in {card.n_shards} {'shards' if card.n_shards > 1 else 'file'}"


def _attention(card: ModelCard) -> str:
    heads = sorted({n for n in card.kv_heads if n})
    kv = f", {'/'.join(map(str, heads))} for keys and values" if heads else ""
    size = f", {card.key_length} wide" if card.key_length else ""
    return f"{card.n_heads} heads{kv}{size}"


def print_card(console: Console, card: ModelCard) -> None:
    """Print the card."""
    console.print(f"[bold]{escape(card.name)}[/]", highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name, value in facts(card):
        table.add_row(f"[dim]{name}[/]", escape(value))
    console.print(table)
    parts = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("part", "tensors", "parameters", "size", "share"):
        parts.add_column(title, justify="left" if title == "part" else "right")
    for group in card.groups:
        share = group.n_bytes / card.tensor_bytes if card.tensor_bytes else 0.0
        size = human_size(group.n_bytes)
        parts.add_row(group.name, str(group.n_tensors), human_count(group.n_params), size, f"{share:.1%}")
    console.print()
    console.print(parts)
