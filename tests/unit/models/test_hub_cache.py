from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.models.hub_cache import blob_of, cached_file, evict, published_sha256

SHA = "ab" * 32


@pytest.fixture
def link(hub_cache: Path) -> Path:
    """A file of ``org/repo`` in the cache, as the hub's client lays it out."""
    repository = hub_cache / "models--org--repo"
    for name in ("blobs", "refs", "snapshots/c0ffee"):
        (repository / name).mkdir(parents=True)
    (repository / "refs" / "main").write_text("c0ffee", encoding="utf-8")
    (repository / "blobs" / SHA).write_bytes(b"GGUF")
    link = repository / "snapshots" / "c0ffee" / "m.gguf"
    link.symlink_to(Path("../../blobs") / SHA)
    return link


def test_a_cached_file_is_found(link: Path) -> None:
    assert cached_file("org/repo", "m.gguf") == link
    assert cached_file("org/repo", "n.gguf") is None
    assert cached_file("org/other", "m.gguf") is None


def test_the_checksum_is_the_name_of_the_bytes(link: Path, tmp_path: Path) -> None:
    assert published_sha256(link) == SHA
    plain = tmp_path / "plain.gguf"
    plain.touch()
    assert published_sha256(plain) is None


def test_a_git_object_id_is_no_checksum(link: Path) -> None:
    small = link.with_name("small.gguf")
    small.symlink_to(Path("../../blobs") / ("ab" * 20))
    assert published_sha256(small) is None


def test_evict_frees_the_bytes(link: Path) -> None:
    blob = blob_of(link)
    assert blob is not None
    evict(link)
    assert not blob.exists()
    assert not link.is_symlink()


def test_a_link_of_the_users_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / SHA
    target.write_bytes(b"mine")
    own = tmp_path / "m.gguf"
    own.symlink_to(target)
    assert blob_of(own) is None
    evict(own)
    assert target.exists()
