"""From a parsed request to a generation, for every endpoint that writes."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from lsp_server.engine.generation_types import GenerationRequest
from lsp_server.engine.http.answering import collect, stream, unless_disconnected
from lsp_server.engine.http.inputs import token_ids
from lsp_server.engine.http.requests import CommonOptions
from lsp_server.engine.http.responses import Shape
from lsp_server.engine.lanes import Lane
from lsp_server.engine.layout import Hole, line_before, names_behind
from lsp_server.engine.service import EngineService
from lsp_server.text.known_names import KnownNames


def generation(options: CommonOptions, guesses: int = 0) -> GenerationRequest:
    """What was asked for, still without its prompt; ``guesses`` if the client leaves these to us."""
    return GenerationRequest(
        prompt=(),
        max_tokens=options.max_tokens,
        sampling=options.sampling,
        stop=options.stop,
        n_indent=options.n_indent,
        n_probs=options.n_probs,
        max_draft=guesses if options.speculative_n_max is None else options.speculative_n_max,
        time_limit_ms=options.time_limit_ms,
    )


def hole_filling(
    service: EngineService,
    hole: Hole,
    options: CommonOptions,
    names: tuple[str, ...] = (),
    known_names: tuple[KnownNames, ...] = (),
) -> GenerationRequest:
    """A hole, laid out for the model.

    Raises:
        InvalidRequestError: the model fills no holes.
    """
    # A grammar knows nothing of a word that is begun outside of the answer.
    free = options.sampling.grammar is None
    prompt = service.infill(hole, options.max_tokens, options.document, complete_word=free)
    return replace(
        generation(options),
        prompt=prompt.tokens,
        boundaries=prompt.boundaries,
        shared=prompt.shared,
        drop_prefix=prompt.indentation,
        begun_word=prompt.begun_word,
        line=line_before(hole.prefix, prompt.begun_word),
        names=names_behind(hole.prefix, prompt.begun_word, names) if free else (),
        known_names=known_names if free else (),
    )


def own_prompt(
    service: EngineService, prompt: str | list[int], *, parse_special: bool, context: str = ""
) -> tuple[list[int], int]:
    """(token ids, how many of them are the prompt's) of what a client has laid out by itself.

    A text gets the BOS token in front if the model wants one and it is not there yet; ids are taken as they are.

    Args:
        parse_special: whether spellings of control tokens in the text are such.
        context: text before it that is not its own.

    Raises:
        InvalidRequestError: an id is not a token's.
    """
    model = service.model
    before = model.tokenize(context)
    if not isinstance(prompt, str):
        return before + token_ids("prompt", prompt, model.n_vocab), len(prompt)
    tokens = model.tokenize(prompt, parse_special=parse_special)
    together = before + tokens
    bos = [] if model.bos and together[: len(model.bos)] == model.bos else model.bos
    return bos + together, len(tokens)


async def answer(
    service: EngineService,
    request: Request,
    shape: Shape,
    options: CommonOptions,
    lane: Lane,
    asked: GenerationRequest,
) -> Response:
    """Generate, and answer in this shape: at once or piece by piece."""
    events = service.run(asked, lane, options.priority, options.document)
    if options.stream:
        # The first event is awaited here, so that a bad request is still answered with its status code.
        first = await unless_disconnected(request, anext(events))
        if first is not None:
            return StreamingResponse(stream(first, events, shape, options), media_type="text/event-stream")
    elif (whole := await unless_disconnected(request, collect(events, shape))) is not None:
        return whole
    return Response(status_code=499)
