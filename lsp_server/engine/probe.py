"""The process that may die: loads a model and decodes a few tokens. See ``trial.py``.

``python -m lsp_server.engine.probe MODEL USE_EXTRA_BUFTS N_GPU_LAYERS``
"""

from __future__ import annotations

import sys
from pathlib import Path

from lsp_server.engine.trial import REFUSED
from lsp_server.errors import EngineError


def main(arguments: list[str]) -> int:
    """Exit code 0 if the load survived, ``REFUSED`` (and the reason on stdout) if llama.cpp said no."""
    from lsp_server.engine.native.context import NativeContext
    from lsp_server.engine.native.model import NativeModel

    path, use_extra_bufts, n_gpu_layers = arguments
    try:
        model = NativeModel(Path(path), n_gpu_layers=int(n_gpu_layers), use_extra_bufts=bool(int(use_extra_bufts)))
        context = NativeContext(model, n_ctx=256, n_batch=64, n_threads=2)
        # Batches take other code paths than single tokens.
        tokens = (model.bos + model.tokenize("def probe(value):\n    return value\n") * 8)[:64]
        context.decode(tokens, 0, want_logits=True)
        context.decode(tokens[-1:], len(tokens), want_logits=True)
    except EngineError as error:
        sys.stdout.write(str(error))
        return REFUSED
    context.close()
    model.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
