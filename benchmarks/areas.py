"""All that is measured, as a table: what is run, how, for how long, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass

PEERS = {"llama-server": "--llama-server", "node-llama-cpp": "--node-llama-cpp"}
"""Other people's programs -> the option that names one. `tools.peers` fetches them."""


@dataclass(frozen=True, slots=True)
class Area:
    """One benchmark.

    Attributes:
        name: what it is called.
        module: that is run.
        full: its arguments.
        quick: those of a quick run; None where there is none.
        minutes: about how long that takes on 2 quiet cores, quick and in full: an estimate.
        results: the files that it writes, without their endings.
        needs: without which it does not run: a peer, ``gpu``, ``linux``, a name of the catalog.
        beside: peers that are started beside it if they are here.
        needs_in_full: what it needs besides in a full run.
    """

    name: str
    module: str
    full: tuple[str, ...]
    quick: tuple[str, ...] | None
    minutes: tuple[float, float]
    results: tuple[str, ...]
    needs: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    needs_in_full: tuple[str, ...] = ()


_SMALL = "qwen2.5-coder-0.5b"


def _completion(measure: str, minutes: tuple[float, float], *holes: str, server: str = "") -> Area:
    """``server``: whether llama-server is needed, is asked if it is there, or has no part."""
    quick = (measure, "--quick", *(("--holes", "2") if holes else ()))
    peers = ("llama-server",)
    needs, beside = (peers if server == "needed" else ()), (peers if server == "beside" else ())
    results = (f"completion-{measure}",)
    name, module = f"completion-{measure}", "benchmarks.completion"
    return Area(name, module, (measure, *holes), quick, minutes, results, (_SMALL, *needs), beside)


def _actions(measure: str, quick: int, full: int, seed: int, minutes: tuple[float, float]) -> Area:
    few, many = ((measure, "--functions", str(n), "--seed", str(seed)) for n in (quick, full))
    name = f"actions-{measure}"
    return Area(name, "benchmarks.actions", many, few, minutes, (name,), (_SMALL,))


AREAS = (
    Area(
        *("engine", "benchmarks.engine", (), ("--quick",), (4, 60), ("engine",)),
        needs=(_SMALL,),
        beside=("llama-server", "node-llama-cpp"),
    ),
    _completion("holes", (2, 150), "--holes", "12", server="beside"),
    _completion("wait", (1, 20), server="needed"),
    _completion("typing", (0.5, 10)),
    _completion("cross-file", (1, 60), "--holes", "64"),
    _actions("docstrings", 1, 130, 1, (0.5, 40)),
    _actions("bugs", 1, 6, 3, (0.5, 5)),
    _actions("unit-tests", 1, 100, 2, (0.5, 60)),
    _actions("listing", 1, 10, 1, (0.5, 2)),
    _actions("cancel", 3, 30, 1, (0.5, 3)),
    Area("index", "benchmarks.index", ("--requests", "200"), ("--requests", "20"), (1, 2), ("index",)),
    Area("context", "benchmarks.context", ("--calls", "200"), ("--calls", "20"), (0.5, 2), ("context",)),
    Area("members", "benchmarks.members", ("--dots", "60"), ("--dots", "5"), (0.5, 2), ("members",)),
    Area("many-files", "benchmarks.many_files", ("--files", "100000"), None, (0, 20), ("many-files",)),
    Area("memory", "benchmarks.memory", ("--full",), (), (0.5, 10), ("memory",), (_SMALL,)),
    Area(
        *("speed", "benchmarks.speed", (), (_SMALL, "--rounds", "1"), (0.5, 3), ("speed",)),
        needs=(_SMALL,),
        needs_in_full=("qwen2.5-coder-1.5b",),
    ),
    Area(
        *("steps", "benchmarks.steps", (), (_SMALL, "--rounds", "2"), (0.5, 3)),
        results=(f"steps-{_SMALL}",),
        needs=(_SMALL,),
    ),
    Area("sweep", "benchmarks.sweep", (), None, (0, 25), (f"sweep-{_SMALL}",), (_SMALL,), ("llama-server",)),
    Area("published", "benchmarks.published", (), (), (0.1, 0.1), ("published",)),
    Area("card-rows", "benchmarks.card_rows", (), (), (0.1, 0.1), ("card-rows",)),
    Area(
        *("faults-kills", "benchmarks.faults", ("kills",), ("kills", "--times", "4"), (0.5, 15)),
        results=("faults",),
        needs=(_SMALL,),
    ),
    Area(
        *("faults-harm", "benchmarks.faults", ("harm",), None, (0, 30), ("faults-harm",)),
        needs=(_SMALL, "linux"),
    ),
    Area(
        *("faults-states", "benchmarks.faults", ("states",), ("states", "--times", "10"), (0.2, 2)),
        results=("faults-states",),
        needs=(_SMALL,),
    ),
    Area(
        *("sharing-windows", "benchmarks.sharing", ("windows",), ("windows", "--windows", "2"), (0.5, 2)),
        results=("sharing-windows",),
        needs=(_SMALL,),
    ),
    Area("sharing-load", "benchmarks.sharing", ("load",), None, (0, 10), ("sharing-load",), (_SMALL,)),
    Area("soak", "benchmarks.soak", (), None, (0, 125), ("soak",), (_SMALL,)),
    Area("gpu", "benchmarks.gpu", (), None, (0, 10), ("gpu",), ("gpu",)),
    Area(
        *("gpu-7b", "benchmarks.gpu", ("--model", "qwen2.5-coder-7b", "--caps", "3"), None, (0, 5)),
        results=("gpu-qwen2.5-coder-7b",),
        needs=("gpu",),
    ),
    Area("gpu-typing", "benchmarks.gpu_typing", (), None, (0, 5), ("gpu-typing",), ("gpu",)),
)
