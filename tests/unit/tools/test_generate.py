"""Generated files are written when they differ, and a check only tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lsp_server.settings.documentation import settings_schema
from tools import generate


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "GENERATED", {"docs/a.md": lambda: "Ä\n", "b.json": lambda: "{}\n"})
    return tmp_path


def test_a_check_names_what_is_out_of_date_and_writes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "b.json").write_bytes(b"{}\n")
    assert generate.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert "docs/a.md" in said
    assert "b.json" not in said
    assert not (root / "docs").exists()


def test_after_writing_a_check_is_content(root: Path) -> None:
    assert generate.main([]) == 0
    assert (root / "docs" / "a.md").read_bytes() == "Ä\n".encode()
    assert generate.main(["--check"]) == 0
    assert sorted(path.name for path in root.rglob("*") if path.is_file()) == ["a.md", "b.json"]


@pytest.mark.parametrize("spoiled", [b"{}", b"{}\r\n", b"\xff"])
def test_every_byte_counts(root: Path, spoiled: bytes) -> None:
    generate.main([])
    (root / "b.json").write_bytes(spoiled)
    assert generate.main(["--check"]) == 1
    generate.main([])
    assert (root / "b.json").read_bytes() == b"{}\n"


def test_what_is_up_to_date_is_left_untouched(root: Path) -> None:
    generate.main([])
    before = (root / "b.json").stat().st_mtime_ns
    generate.main([])
    assert (root / "b.json").stat().st_mtime_ns == before


def test_the_manifest_of_vs_code_gets_the_settings_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"title": "Extension", "properties": {"shardlight.server.path": {"scope": "machine-overridable"}}}
    outdated = {"title": "Gone", "properties": {"shardlight.gone.setting": {"type": "string"}}}
    before = {
        "name": "ä",
        "capabilities": {"untrustedWorkspaces": {"restrictedConfigurations": []}},
        "contributes": {"configuration": [own, outdated]},
    }
    path = tmp_path / "editors" / "vscode" / "package.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(before), encoding="utf-8")
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    written = json.loads(generate.vscode_manifest())
    first, *groups = written["contributes"]["configuration"]
    assert (written["name"], first) == ("ä", own)
    schema = json.loads(settings_schema())["properties"]
    # What only the user's own file and environment may say is not offered in an editor.
    offered = [(section, group) for section, group in schema.items() if section != "backend"]
    settings = [f"shardlight.{section}.{name}" for section, group in offered for name in group["properties"]]
    assert [name for group in groups for name in group["properties"]] == settings
    by_title = {group["title"]: group["properties"] for group in groups}
    assert by_title["Bug hints"]["shardlight.bug_hints.on_save"] == {
        "type": "boolean",
        "default": False,
        "order": 0,
        "markdownDescription": schema["bug_hints"]["properties"]["on_save"]["description"],
    }
    assert by_title["Models"]["shardlight.models.directory"]["scope"] == "machine-overridable"
    restricted = written["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    assert restricted[:2] == ["shardlight.server.path", "shardlight.models.completion"]
    assert "shardlight.completion.enabled" not in restricted
