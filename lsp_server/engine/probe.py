"""The process that may die: loads a model under given settings, for real or only simulated. See ``trial.py``.

``python -m lsp_server.engine.probe MODEL SETTINGS`` loads and decodes a few tokens;
``python -m lsp_server.engine.probe MODEL SETTINGS --simulate`` prints as JSON what llama.cpp would allocate.
SETTINGS is a JSON object of ``LoadSettings``' fields. It ends with its input: whoever started it is gone then, and may
be starting another one.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from lsp_server.engine.niceness import lower_process
from lsp_server.engine.trial import NO_MEMORY, PROGRESS, REFUSED, settings_from
from lsp_server.errors import EngineError, OutOfMemoryError
from lsp_server.models.planning.settings import LoadSettings


def main(arguments: list[str]) -> int:
    """Exit code 0 if the load survived; ``REFUSED`` or ``NO_MEMORY``, and why on stdout, if llama.cpp said no."""
    path, settings = Path(arguments[0]), settings_from(json.loads(arguments[1]))
    threading.Thread(target=_end_with_input, daemon=True).start()
    lower_process()
    try:
        if "--simulate" in arguments[2:]:
            _simulate(path, settings)
        else:
            _try(path, settings)
    except OutOfMemoryError as error:
        sys.stdout.write(str(error))
        return NO_MEMORY
    except EngineError as error:
        sys.stdout.write(str(error))
        return REFUSED
    return 0


def _end_with_input() -> None:
    # Not `sys.stdin`: Python could not end while a thread reads that.
    while os.read(0, 4096):
        pass
    # llama.cpp may be in the middle of tens of gigabytes.
    os._exit(1)


def _try(path: Path, settings: LoadSettings) -> None:
    from lsp_server.engine.native.context import NativeContext, Part
    from lsp_server.engine.native.model import NativeModel

    told = -1

    def tell(fraction: float) -> bool:
        nonlocal told
        if int(fraction * 100) > told:
            told = int(fraction * 100)
            sys.stdout.write(f"{PROGRESS} {fraction:.2f}\n")
            sys.stdout.flush()
        return True

    model = NativeModel(path, settings, on_progress=tell)
    contexts = [NativeContext(model, settings) for _ in range(settings.n_contexts)]
    # Batches take other code paths than single tokens.
    tokens = (model.bos + model.tokenize("def probe(value):\n    return value\n") * 8)[: min(64, settings.n_batch)]
    # The others are there to prove that there is room for them.
    contexts[0].decode([Part(0, tokens, 0, n_outputs=1)])
    contexts[0].decode([Part(0, tokens[-1:], len(tokens), n_outputs=1)])
    for context in contexts:
        context.close()
    model.close()


def _simulate(path: Path, settings: LoadSettings) -> None:
    from lsp_server.engine.native import memory_log
    from lsp_server.engine.native.context import NativeContext
    from lsp_server.engine.native.model import NativeModel

    with memory_log.recorded() as lines:
        model = NativeModel(path, settings, simulate=True)
        NativeContext(model, settings)
    sys.stdout.write(json.dumps(asdict(memory_log.parse(lines))))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
