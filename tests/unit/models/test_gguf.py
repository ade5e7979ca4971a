from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.errors import InvalidModelFileError
from lsp_server.models.gguf import check_magic


@pytest.mark.parametrize("version", [2, 3])
def test_supported_versions_pass(tmp_path: Path, version: int) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF" + version.to_bytes(4, "little") + b"rest")
    check_magic(path)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"<!DOCTYPE html>", "not a GGUF file"),
        (b"", "not a GGUF file"),
        (b"GGUF\x03", "not a GGUF file"),
        (b"GGUF\x01\x00\x00\x00", "version 1"),
        (b"GGUF\x00\x00\x00\x03", "big-endian"),
    ],
)
def test_everything_else_is_refused_by_name(tmp_path: Path, head: bytes, reason: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(head)
    with pytest.raises(InvalidModelFileError, match=reason) as caught:
        check_magic(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidModelFileError, match="cannot be read"):
        check_magic(tmp_path / "absent.gguf")
