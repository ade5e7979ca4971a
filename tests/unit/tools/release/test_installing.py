"""llama.cpp is compiled once for each source and set of flags, and what was compiled is installed by its own hash."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tools import lock
from tools.release import installing

SOURCE = "0" * 64


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What was compiled, by the variables that were given along; a wheel of a few bytes comes of it."""
    runs: list[dict[str, str]] = []

    def pip(words: list[str], variables: dict[str, str]) -> None:
        runs.append(variables)
        assert "--require-hashes" in words
        Path(words[words.index("--wheel-dir") + 1], "llama_cpp_python-0.3.36-py3-none-any.whl").write_bytes(b"wheel")

    monkeypatch.setattr(installing, "_pip", pip)
    return runs


def locked(source: str = SOURCE) -> str:
    return f"jinja2==3.1 \\\n    --hash=sha256:{'1' * 64}\nllama-cpp-python==0.3.36 \\\n    --hash=sha256:{source}\n"


def test_the_same_source_with_the_same_flags_is_compiled_once(compiled: list[Any], tmp_path: Path) -> None:
    first, second = (installing.llama_wheel(locked(), tmp_path) for _ in range(2))
    assert (first, len(compiled)) == (second, 1)
    assert (first.parent / "source.txt").read_text(encoding="utf-8").endswith(f"--hash=sha256:{SOURCE}\n")


def test_another_source_or_other_flags_are_compiled_anew(
    compiled: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = {installing.llama_wheel(locked(), tmp_path), installing.llama_wheel(locked("2" * 64), tmp_path)}
    monkeypatch.setenv("CMAKE_ARGS", "-DGGML_AVX=OFF")
    wheels.add(installing.llama_wheel(locked(), tmp_path))
    assert len(wheels) == 3
    assert compiled[-1]["CMAKE_ARGS"].endswith("-DGGML_AVX=OFF")


def test_only_the_hash_of_what_was_compiled_is_another(tmp_path: Path) -> None:
    wheel = tmp_path / "llama.whl"
    wheel.write_bytes(b"wheel")
    text = lock.path("release").read_text(encoding="utf-8")
    before, after = lock.read(text), lock.read(installing.naming(text, wheel))
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [(old.name, new.version == old.version, new.hashes) for old, new in changed] == [
        ("llama-cpp-python", True, (f"sha256:{hashlib.sha256(b'wheel').hexdigest()}",))
    ]


def test_a_lock_file_without_it_is_told() -> None:
    with pytest.raises(ValueError, match="names no llama-cpp-python"):
        installing.naming("jinja2==3.1\n", Path("llama.whl"))
