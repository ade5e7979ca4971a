from __future__ import annotations

from pathlib import Path

from lsp_server.models.catalog import Catalog, ModelFile
from lsp_server.models.places import Places
from lsp_server.models.reference import HubRef, PathRef, parse_ref

CATALOG = Catalog.load()


def test_ids_that_differ_in_punctuation_have_folders_of_their_own(tmp_path: Path) -> None:
    refs = [parse_ref(text, CATALOG) for text in ("hf:a/b:C", "hf:a/b-C", "hf:a-b/C")]
    folders = {Places(tmp_path).folder(ref) for ref in refs}
    assert len(folders) == 3
    assert {folder.parent for folder in folders} == {tmp_path}
    assert len({Places(tmp_path).lock_file(ref) for ref in refs}) == 3


def test_which_files_a_model_of_the_hub_has_is_noted(tmp_path: Path) -> None:
    places, ref = Places(tmp_path), HubRef("org/repo", quant="Q8_0")
    assert (places.files(ref), places.paths(ref), list(places.noted())) == ((), None, [])
    places.note(ref, ["sub/m.gguf"])
    assert places.files(ref) == (ModelFile("sub/m.gguf"),)
    assert list(places.noted()) == [ref.id]
    (places.folder(ref) / "m.gguf").touch()
    assert places.paths(ref) == (places.folder(ref) / "m.gguf",)


def test_notes_that_are_damaged_are_none(tmp_path: Path) -> None:
    for name, text in {"a": "{", "b": "[]", "c": '{"id": 1}'}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.json").write_text(text, encoding="utf-8")
    assert list(Places(tmp_path).noted()) == []


def test_a_file_of_the_users_stands_with_its_shards(tmp_path: Path) -> None:
    ref = PathRef(tmp_path / "m-00001-of-00002.gguf")
    ref.path.touch()
    assert Places(tmp_path / "store").paths(ref) is None
    other = tmp_path / "m-00002-of-00002.gguf"
    other.touch()
    assert Places(tmp_path / "store").paths(ref) == (ref.path, other)
