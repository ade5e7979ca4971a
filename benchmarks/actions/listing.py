"""Milliseconds until an editor has the list of actions, at places of public code in eight languages."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from lsprotocol import types as lsp

from benchmarks.actions.sources import sample
from benchmarks.actions.window import window
from benchmarks.results import write_markdown
from lsp_server.text.positions import LineIndex, PositionEncoding

_PLACES = 8


@dataclass(frozen=True, slots=True)
class Listing:
    """How long the list took at a place, and how many actions it had.

    Attributes:
        kind: ``opened`` for the first one of a document, which waits until it is read; ``edited`` for one right after
            an edit; ``again`` for others.
    """

    language: str
    milliseconds: float
    actions: int
    kind: str


async def run(count: int, seed: int) -> list[Listing]:
    """At places by chance in so many files of each language, in each after an edit and without one."""
    choice = random.Random(seed)
    listings: list[Listing] = []
    functions = sample(count, seed)
    for root in dict.fromkeys(function.root for function in functions):
        async with window(root, {"index": {"enabled": False}}) as opened:
            for function in (one for one in functions if one.root == root):
                uri, text = function.path.as_uri(), function.path.read_bytes().decode("utf-8")
                lines = LineIndex(text)
                item = lsp.TextDocumentItem(uri, function.language, 1, text)
                opened.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
                for number in range(-1, _PLACES):
                    at = lsp.Position(*lines.position(choice.randrange(len(text)), PositionEncoding.UTF16))
                    edited = number >= 0 and number % 2 == 0
                    if edited:
                        document = lsp.VersionedTextDocumentIdentifier(number + 2, uri)
                        change = lsp.TextDocumentContentChangePartial(lsp.Range(at, at), "x")
                        back = lsp.TextDocumentContentChangePartial(
                            lsp.Range(at, lsp.Position(at.line, at.character + 1)), ""
                        )
                        params = lsp.DidChangeTextDocumentParams(document, [change, back])
                        opened.client.text_document_did_change(params)
                    began = time.perf_counter()
                    found = await opened.list(uri, at)
                    took = (time.perf_counter() - began) * 1000
                    kind = "opened" if number < 0 else "edited" if edited else "again"
                    listings.append(Listing(function.language, took, len(found), kind))
                closed = lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri))
                opened.client.text_document_did_close(closed)
    return listings


def report(listings: Sequence[Listing], command: str) -> None:
    """Write the table."""
    lines = [
        f"{len(listings)} lists at places by chance in files of public packages.",
        "",
        "| | lists | actions, mean | median | p95 | bar |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, group in (
        ("right after opening, with the reading of the document", [one for one in listings if one.kind == "opened"]),
        ("right after an edit", [one for one in listings if one.kind == "edited"]),
        ("without an edit", [one for one in listings if one.kind == "again"]),
        ("all but those after opening", [one for one in listings if one.kind != "opened"]),
    ):
        times = sorted(one.milliseconds for one in group)
        actions = statistics.mean(one.actions for one in group)
        lines.append(
            f"| {name} | {len(group)} | {actions:.1f} | {statistics.median(times):.1f} ms |"
            f" {times[int(len(times) * 0.95)]:.1f} ms | 30 ms |"
        )
    write_markdown("actions-listing", command, lines)
