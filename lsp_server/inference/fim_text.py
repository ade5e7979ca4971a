"""Holes and conversations as one text, for servers that take nothing else.

Such a server reads control tokens wherever they are spelled, also in somebody's code: there they get a blank.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from lsp_server.inference.backend import Chunk, InfillRequest, Message, StopReason
from lsp_server.models.catalog import MarkerTexts

TURN_END = "<|im_end|>"
# What tokenizers keep together at most, as the engine has it: letters, and one character before them.
_BEGUN_WORD = re.compile(r"(?:[^\w\r\n]|_)?[^\W\d_]+\Z|(?<=\S) \Z")
_CONTROL = re.compile(r"<(?=[|｜][^<>\n]{1,40}[|｜]>)")


@dataclass(frozen=True, slots=True)
class HoleText:
    """A prompt, and how its answer begins.

    Attributes:
        repeated: what stands before the cursor already and is left to the answer.
        must: an answer that does not begin with it is none.
    """

    prompt: str
    repeated: str = ""
    must: bool = False


def hole_text(request: InfillRequest, markers: MarkerTexts) -> HoleText:
    """A hole as a text.

    A begun word is left to the answer: as a token of its own it would hardly ever be gone on with. With the suffix
    first, so is a blank line's indentation, which models write again otherwise.
    """
    suffix_first = markers.order == "suffix-first"
    line = request.prefix[max(request.prefix.rfind("\n"), request.prefix.rfind("\r")) + 1 :]
    word = _BEGUN_WORD.search(line)
    indentation = line if suffix_first and not line.strip() else ""
    repeated = word.group() if word else indentation
    before = _defused(request.prefix.removesuffix(repeated), markers)
    behind = _defused(request.suffix, markers)
    if suffix_first:
        hole = f"{markers.prefix}{markers.suffix}{behind}{markers.middle}{before}"
    else:
        hole = f"{markers.prefix}{before}{markers.suffix}{behind}{markers.middle}"
    return HoleText(_other_files(request, markers) + hole, repeated, must=word is not None)


def conversation_text(messages: Sequence[Message], markers: MarkerTexts) -> str:
    """A conversation in ChatML; a last message of the assistant is left open."""
    opened = messages[-1].role == "assistant"
    turns = [f"<|im_start|>{m.role}\n{_defused(m.content, markers)}{TURN_END}\n" for m in messages]
    text = "".join(turns)
    return text.removesuffix(f"{TURN_END}\n") if opened else f"{text}<|im_start|>assistant\n"


async def without(opening: str, chunks: AsyncIterator[Chunk], *, must: bool = False) -> AsyncIterator[Chunk]:
    """An answer without what it may repeat at its beginning.

    Args:
        must: an answer that does not begin with it ends there, with nothing.
    """
    held, left = "", opening
    async with aclosing(chunks) as answer:  # type: ignore[type-var]
        async for chunk in answer:
            if not left:
                yield chunk
                continue
            held += chunk.text
            if held.startswith(left):
                yield replace(chunk, text=held[len(left) :])
                left = ""
            elif chunk.stop_reason or not left.startswith(held):
                yield replace(chunk, text="", stop_reason=StopReason.EOS) if must else replace(chunk, text=held)
                left = ""
                if must:
                    return


def _other_files(request: InfillRequest, markers: MarkerTexts) -> str:
    if not (request.extra and markers.repository and markers.file):
        return ""
    files = [f"{markers.file}{file.path}\n{_defused(file.text, markers)}\n" for file in request.extra]
    return f"{markers.repository}{request.repository}\n{''.join(files)}{markers.file}{request.path}\n"


def _defused(text: str, markers: MarkerTexts) -> str:
    text = _CONTROL.sub("< ", text)
    for marker in (markers.prefix, markers.suffix, markers.middle):
        text = text.replace(marker, f"{marker[0]} {marker[1:]}") if marker else text
    return text
