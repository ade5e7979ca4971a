"""The process that may die: loads llama.cpp and prints what it says of itself, or how fast it is here, as JSON.

``python -m lsp_server.engine.library_report [--measure N_THREADS TYPE,TYPE…]``

It stands apart from ``hardware.py`` and ``measurement.py``, which start it, so that no path of imports leads from them
to the native library.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict

import psutil

# Cores' worth of other programs' work from which on figures are too low to be kept.
_DISTURBED = 0.3


def main(arguments: list[str]) -> int:
    """Print one line of JSON."""
    if arguments[:1] == ["--measure"]:
        n_threads, types = arguments[1:]
        report = _measured(int(n_threads), [name for name in types.split(",") if name])
    else:
        report = _described()
    sys.stdout.write(json.dumps(report) + "\n")
    return 0


def _described() -> dict[str, object]:
    from lsp_server.engine.native import library

    return asdict(library.described())


def _measured(n_threads: int, types: list[str]) -> dict[str, object]:
    from lsp_server.engine.native import kernels

    begun, system, own = time.monotonic(), _busy_s(), time.process_time()
    bandwidth, rates = kernels.measure(n_threads, types)
    others = (_busy_s() - system) - (time.process_time() - own)
    disturbed = others > _DISTURBED * (time.monotonic() - begun)
    found = {name: asdict(rate) for name, rate in rates.items()}
    return {"bandwidth": bandwidth, "kernels": found, "disturbed": disturbed}


def _busy_s() -> float:
    """Seconds that the processors of this machine have worked, all together."""
    times = psutil.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
