from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.errors import UnknownModelError
from lsp_server.models.catalog import Catalog
from lsp_server.models.reference import CatalogRef, HubRef, PathRef, parse_ref

CATALOG = Catalog.load()


def test_a_catalog_name() -> None:
    ref = parse_ref(" qwen2.5-coder-0.5b ", CATALOG)
    assert isinstance(ref, CatalogRef)
    assert ref.id == "qwen2.5-coder-0.5b"


@pytest.mark.parametrize(
    ("text", "expected", "ref_id"),
    [
        ("hf:org/repo", HubRef("org/repo"), "hf:org/repo"),
        ("hf:org/repo:q8_0", HubRef("org/repo", quant="Q8_0"), "hf:org/repo:Q8_0"),
        ("hf:org/repo/a/m.gguf", HubRef("org/repo", filename="a/m.gguf"), "hf:org/repo/a/m.gguf"),
    ],
)
def test_hub_ids(text: str, expected: HubRef, ref_id: str) -> None:
    ref = parse_ref(text, CATALOG)
    assert ref == expected
    assert ref.id == ref_id
    assert parse_ref(ref.id, CATALOG) == ref


@pytest.mark.parametrize(
    "text",
    [
        *("hf:", "hf:org", "hf:org/repo:", "hf:org/repo/file.bin", "hf:org/../x.gguf", "hf:o/r/../../x.gguf"),
        *("hf:a b/c", "hf:a--b/c/m.gguf", "hf:-a/b", "hf:a/b.", "hf:a/b.git", f"hf:a/{'b' * 97}"),
    ],
)
def test_malformed_hub_ids_are_explained(text: str) -> None:
    with pytest.raises(UnknownModelError) as caught:
        parse_ref(text, CATALOG)
    assert "hf:org/repo" in caught.value.hint


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.gguf").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for text in ("m.gguf", "./m.gguf", "~/m.gguf", str(tmp_path / "m.gguf")):
        assert parse_ref(text, CATALOG) == PathRef(tmp_path / "m.gguf"), text


def test_any_shard_stands_for_its_set(tmp_path: Path) -> None:
    names = [f"m-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    for name in names:
        (tmp_path / name).touch()
    for name in names:
        assert parse_ref(str(tmp_path / name), CATALOG) == PathRef(tmp_path / names[0])


@pytest.mark.parametrize("name", ["m-00004-of-00003.gguf", "m-00001-of-00000.gguf"])
def test_a_file_that_is_no_shard_of_its_set_stands_for_itself(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert parse_ref(str(tmp_path / name), CATALOG) == PathRef(tmp_path / name)


@pytest.mark.parametrize("text", ["missing.gguf", "./missing", "~/missing.gguf", "/no/such/file.gguf"])
def test_a_path_that_leads_nowhere_is_named(text: str) -> None:
    with pytest.raises(UnknownModelError, match="There is no file"):
        parse_ref(text, CATALOG)


@pytest.mark.parametrize("text", ["~nobody-of-that-name/m.gguf", f"{'m' * 5000}.gguf"])
def test_what_can_be_no_path_is_no_model(text: str) -> None:
    with pytest.raises(UnknownModelError, match=r"is no path to a \.gguf file|There is no file"):
        parse_ref(text, CATALOG)


def test_a_forgotten_hub_prefix_is_suspected() -> None:
    with pytest.raises(UnknownModelError) as caught:
        parse_ref("org/repo", CATALOG)
    assert "hf:org/repo" in caught.value.hint


@pytest.mark.parametrize("name", ["folder", "notes.txt"])
def test_what_is_no_gguf_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UnknownModelError, match=r"not a \.gguf file"):
        parse_ref(str(tmp_path / name), CATALOG)


@pytest.mark.parametrize("text", ["auto", "qwen", ""])
def test_other_words_are_unknown_models(text: str) -> None:
    with pytest.raises(UnknownModelError):
        parse_ref(text, CATALOG)
