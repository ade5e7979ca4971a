"""The one place that chooses how llama.cpp is compiled.

Two things decide it.

* **Safety.** Some virtual machines report AMX and fault at its first instruction, which ends the process in the middle
  of its first decode.
* **The work.** A language server evaluates batches of 1 to 64 tokens with every keystroke. A build with AMX that must
  not crash has to load without llama.cpp's extra buffers, and so without repacked weights too; a build that knows no
  AMX keeps them. On two cores with a 0.5B model, 8 tokens took 80 instead of 130 ms, and 32 took 227 instead of 410.

So where an x86-64 Linux machine reports AMX, ``GGML_NATIVE`` is off and the instruction sets are named one by one;
those that are missing too, since ggml may switch them on by itself. Everywhere else the compiler picks what the machine
has. Naming AVX-VNNI needs GCC 11 or Clang 12.

Two environment variables reach the build:

* ``SHARDLIGHT_ACCELERATOR``: ``cpu`` (default), ``cuda``, ``metal`` (default on Apple silicon), ``vulkan`` or ``rocm``;
  the vendor's toolkit has to be installed. On macOS llama-cpp-python always compiles Metal in; there ``cpu`` only
  leaves out asking for it.
* ``CMAKE_ARGS``: appended last, and CMake lets the last one win.

``python tools/llama_build.py`` prints the flags on stdout and the reasons on stderr, for a plain pip build::

    CMAKE_ARGS="$(python tools/llama_build.py)" pip install --no-cache-dir --no-binary llama-cpp-python .
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

LLAMA_CPP_PYTHON = "0.3.36"
"""The release that is built here; it lies within the range that pyproject.toml accepts."""

ACCELERATORS = {
    "cpu": (),
    "cuda": ("-DGGML_CUDA=ON",),
    "metal": ("-DGGML_METAL=ON",),
    "vulkan": ("-DGGML_VULKAN=ON",),
    "rocm": ("-DGGML_HIP=ON",),
}

# Only the library is loaded; llama.cpp's own programs would double the compile time.
_LIBRARY_ONLY = (
    "-DGGML_LLAMAFILE=ON",
    "-DLLAVA_BUILD=OFF",
    "-DLLAMA_BUILD_TOOLS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_SERVER=OFF",
)

# What ggml calls AVX512 compiles with all five of these, so all five have to be there.
_AVX512 = ("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl")

# ggml's option -> the flags of /proc/cpuinfo that it takes for granted.
_INSTRUCTION_SETS = {
    "GGML_SSE42": ("sse4_2",),
    "GGML_AVX": ("avx",),
    "GGML_AVX2": ("avx", "avx2"),
    "GGML_FMA": ("avx", "fma"),
    "GGML_F16C": ("avx", "f16c"),
    "GGML_BMI2": ("bmi2",),
    "GGML_AVX_VNNI": ("avx", "avx2", "avx_vnni"),
    "GGML_AVX512": _AVX512,
    "GGML_AVX512_VBMI": (*_AVX512, "avx512vbmi"),
    "GGML_AVX512_VNNI": (*_AVX512, "avx512_vnni"),
    "GGML_AVX512_BF16": (*_AVX512, "avx512_bf16"),
}


def names_instruction_sets(cpu_flags: frozenset[str], system: str, machine: str) -> bool:
    """Whether the instruction sets are named one by one, which is so on x86-64 Linux with AMX."""
    return system == "Linux" and machine in ("x86_64", "amd64") and any(flag.startswith("amx") for flag in cpu_flags)


def cmake_args(cpu_flags: frozenset[str], system: str, machine: str, accelerator: str) -> list[str]:
    """The CMake definitions for one machine.

    Args:
        cpu_flags: instruction sets in the spelling of Linux's /proc/cpuinfo; empty where unknown.
        system: as ``platform.system()`` says it.
        machine: as ``platform.machine()`` says it.
        accelerator: a key of `ACCELERATORS`.

    Raises:
        ValueError: the accelerator is none of them.
    """
    if accelerator not in ACCELERATORS:
        raise ValueError(f"SHARDLIGHT_ACCELERATOR={accelerator}: it has to be one of {', '.join(ACCELERATORS)}.")
    arguments = list(_LIBRARY_ONLY)
    if names_instruction_sets(cpu_flags, system, machine):
        arguments.append("-DGGML_NATIVE=OFF")
        for option, needed in _INSTRUCTION_SETS.items():
            arguments.append(f"-D{option}={'ON' if cpu_flags.issuperset(needed) else 'OFF'}")
        if accelerator == "cuda":
            # GGML_NATIVE also decides this one: without it, code for every generation of GPUs is compiled.
            arguments.append("-DCMAKE_CUDA_ARCHITECTURES=native")
    else:
        arguments.append("-DGGML_NATIVE=ON")
    return [*arguments, *ACCELERATORS[accelerator]]


def detect_cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """The instruction sets that Linux reports; empty where there is no such file, as on macOS and Windows."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()


def chosen_accelerator(environ: Mapping[str, str], system: str, machine: str) -> str:
    """``SHARDLIGHT_ACCELERATOR``, or the default for this kind of machine; not checked."""
    default = "metal" if (system, machine) == ("Darwin", "arm64") else "cpu"
    return environ.get("SHARDLIGHT_ACCELERATOR", "").strip().lower() or default


def cmake_args_here(environ: Mapping[str, str]) -> str:
    """The value of ``CMAKE_ARGS`` for this machine: the chosen flags, then the user's own, which win.

    Raises:
        ValueError: ``SHARDLIGHT_ACCELERATOR`` names no accelerator.
    """
    system, machine = platform.system(), platform.machine()
    arguments = cmake_args(detect_cpu_flags(), system, machine, chosen_accelerator(environ, system, machine))
    return " ".join([*arguments, environ.get("CMAKE_ARGS", "")]).strip()


def main() -> int:
    """Print the flags (stdout) and why (stderr)."""
    system, machine = platform.system(), platform.machine()
    try:
        arguments = cmake_args_here(os.environ)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if names_instruction_sets(detect_cpu_flags(), system, machine):
        reason = "AMX is reported, which may crash in a virtual machine: left out, the other sets named one by one"
    else:
        reason = "no AMX is reported: the compiler uses what the machine has"
    print(f"# {system} {machine}: {reason}", file=sys.stderr)
    print(f"# accelerator: {chosen_accelerator(os.environ, system, machine)} (SHARDLIGHT_ACCELERATOR)", file=sys.stderr)
    if os.environ.get("CMAKE_ARGS"):
        print("# the last flags are your own CMAKE_ARGS", file=sys.stderr)
    print(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
