from __future__ import annotations

from collections.abc import AsyncIterator

from lsp_server.inference.backend import Answer, Chunk, StopReason, Timings, collect


async def pieces(*chunks: Chunk) -> AsyncIterator[Chunk]:
    for chunk in chunks:
        yield chunk


async def test_a_whole_answer_has_the_last_chunks_reason_and_timings() -> None:
    answer = await collect(pieces(Chunk("a"), Chunk("b"), Chunk("c", StopReason.LENGTH, Timings(predicted_tokens=3))))

    assert answer == Answer("abc", StopReason.LENGTH, Timings(predicted_tokens=3))


async def test_an_answer_without_a_last_chunk_was_cancelled() -> None:
    assert await collect(pieces()) == Answer("", StopReason.CANCELLED, Timings())
    assert (await collect(pieces(Chunk("a")))).stop_reason is StopReason.CANCELLED
