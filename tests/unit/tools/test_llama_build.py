"""Which flags llama.cpp is compiled with on which machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools import llama_build
from tools.llama_build import chosen_accelerator, cmake_args, cmake_args_here, detect_cpu_flags

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[3]

AVX2 = frozenset(["fpu", "sse2", "sse4_2", "avx", "avx2", "fma", "f16c", "bmi2"])
AVX512 = AVX2 | frozenset(["avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"])
SAPPHIRE_RAPIDS = AVX512 | frozenset(
    ["avx_vnni", "avx512vbmi", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16"]
)


def defined(arguments: list[str]) -> dict[str, str]:
    """The definitions as CMake ends up with them: the last one of a name wins."""
    matches = [re.fullmatch(r"-D(\w+)=(\w+)", argument) for argument in arguments]
    assert all(matches), arguments
    return {match[1]: match[2] for match in matches if match}


def test_a_cpu_with_amx_gets_everything_but_amx() -> None:
    flags = defined(cmake_args(SAPPHIRE_RAPIDS, "Linux", "x86_64", "cpu"))
    assert flags["GGML_NATIVE"] == "OFF"
    named = {name for name, value in flags.items() if value == "ON"} - {"GGML_LLAMAFILE"}
    assert named == {
        "GGML_SSE42",
        "GGML_AVX",
        "GGML_AVX2",
        "GGML_FMA",
        "GGML_F16C",
        "GGML_BMI2",
        "GGML_AVX_VNNI",
        "GGML_AVX512",
        "GGML_AVX512_VBMI",
        "GGML_AVX512_VNNI",
        "GGML_AVX512_BF16",
    }
    assert not any("AMX" in name for name in flags)


@pytest.mark.parametrize("absent", ["avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"])
def test_half_of_avx512_is_none_of_it(absent: str) -> None:
    flags = defined(cmake_args(SAPPHIRE_RAPIDS - {absent}, "Linux", "x86_64", "cpu"))
    assert {name: value for name, value in flags.items() if "AVX512" in name} == {
        "GGML_AVX512": "OFF",
        "GGML_AVX512_VBMI": "OFF",
        "GGML_AVX512_VNNI": "OFF",
        "GGML_AVX512_BF16": "OFF",
    }
    assert flags["GGML_AVX2"] == "ON"


def test_a_set_that_is_hidden_by_a_hypervisor_is_switched_off_by_name() -> None:
    flags = defined(cmake_args(SAPPHIRE_RAPIDS - {"avx_vnni", "avx512_bf16"}, "Linux", "x86_64", "cpu"))
    assert flags["GGML_AVX_VNNI"] == flags["GGML_AVX512_BF16"] == "OFF"
    assert flags["GGML_AVX512_VNNI"] == "ON"


@pytest.mark.parametrize(
    ("cpu_flags", "system", "machine"),
    [
        (AVX2, "Linux", "x86_64"),
        (AVX512, "Linux", "x86_64"),
        (frozenset[str](), "Linux", "aarch64"),
        (frozenset[str](), "Darwin", "arm64"),
        (frozenset[str](), "Windows", "AMD64"),
    ],
)
def test_without_amx_the_compiler_chooses(cpu_flags: frozenset[str], system: str, machine: str) -> None:
    flags = defined(cmake_args(cpu_flags, system, machine, "cpu"))
    assert flags["GGML_NATIVE"] == "ON"
    assert not any("AVX" in name for name in flags)


@pytest.mark.parametrize("cpu_flags", [AVX2, SAPPHIRE_RAPIDS])
def test_only_the_library_is_built(cpu_flags: frozenset[str]) -> None:
    flags = defined(cmake_args(cpu_flags, "Linux", "x86_64", "cpu"))
    programs = ["LLAVA_BUILD", *(f"LLAMA_BUILD_{part}" for part in ("TOOLS", "EXAMPLES", "TESTS", "SERVER"))]
    assert [flags[name] for name in programs] == ["OFF"] * 5


@pytest.mark.parametrize(
    ("accelerator", "switch"),
    [("cuda", "GGML_CUDA"), ("metal", "GGML_METAL"), ("vulkan", "GGML_VULKAN"), ("rocm", "GGML_HIP")],
)
def test_an_accelerator_comes_on_top_of_the_cpu(accelerator: str, switch: str) -> None:
    flags = defined(cmake_args(SAPPHIRE_RAPIDS, "Linux", "x86_64", accelerator))
    assert flags.items() >= defined(cmake_args(SAPPHIRE_RAPIDS, "Linux", "x86_64", "cpu")).items()
    assert flags[switch] == "ON"


def test_cuda_is_compiled_for_the_gpu_that_is_there_even_if_the_cpu_is_not_native() -> None:
    assert "-DCMAKE_CUDA_ARCHITECTURES=native" in cmake_args(SAPPHIRE_RAPIDS, "Linux", "x86_64", "cuda")


def test_an_unknown_accelerator_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"SHARDLIGHT_ACCELERATOR=gpu.*cpu, cuda, metal, vulkan, rocm"):
        cmake_args(AVX2, "Linux", "x86_64", "gpu")


@pytest.mark.parametrize(
    ("environ", "system", "machine", "expected"),
    [
        ({}, "Linux", "x86_64", "cpu"),
        ({}, "Darwin", "x86_64", "cpu"),
        ({}, "Darwin", "arm64", "metal"),
        ({"SHARDLIGHT_ACCELERATOR": ""}, "Darwin", "arm64", "metal"),
        ({"SHARDLIGHT_ACCELERATOR": "cpu"}, "Darwin", "arm64", "cpu"),
        ({"SHARDLIGHT_ACCELERATOR": " CUDA"}, "Linux", "x86_64", "cuda"),
    ],
)
def test_the_accelerator_that_is_chosen(environ: dict[str, str], system: str, machine: str, expected: str) -> None:
    assert chosen_accelerator(environ, system, machine) == expected


def test_the_users_own_flags_come_last() -> None:
    assert cmake_args_here({"CMAKE_ARGS": "-DGGML_BLAS=ON -DGGML_NATIVE=ON"}).endswith(
        " -DGGML_BLAS=ON -DGGML_NATIVE=ON"
    )


def test_cpu_flags_of_the_first_processor(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nvmx flags\t: vnmi\nflags\t\t: fpu avx2 amx_tile\nbugs\t\t:\n", encoding="utf-8")
    assert detect_cpu_flags(cpuinfo) == {"fpu", "avx2", "amx_tile"}


def test_no_cpu_flags_where_there_is_no_such_file(tmp_path: Path) -> None:
    assert detect_cpu_flags(tmp_path / "cpuinfo") == frozenset()


def test_the_release_that_is_built_is_one_that_the_package_accepts() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [Requirement(text) for text in project["dependencies"]]
    [accepted] = [one.specifier for one in requirements if one.name == "llama-cpp-python"]
    assert accepted.contains(llama_build.LLAMA_CPP_PYTHON)


def test_as_a_program_it_prints_the_flags_apart_from_the_reasons() -> None:
    environ = {**os.environ, "SHARDLIGHT_ACCELERATOR": "vulkan", "CMAKE_ARGS": "-DMINE=1"}
    program = [sys.executable, str(ROOT / "tools" / "llama_build.py")]
    done = subprocess.run(program, env=environ, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == cmake_args_here(environ)
    assert "vulkan" in done.stderr


def test_as_a_program_it_refuses_an_unknown_accelerator() -> None:
    program = [sys.executable, str(ROOT / "tools" / "llama_build.py")]
    environ = {**os.environ, "SHARDLIGHT_ACCELERATOR": "abacus"}
    done = subprocess.run(program, env=environ, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "abacus" in done.stderr
