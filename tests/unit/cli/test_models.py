from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.cli import models as cli
from lsp_server.errors import ChecksumError, ModelNotInstalledError, UnknownModelError
from lsp_server.models.catalog import Catalog, CatalogModel, ModelFile
from lsp_server.models.gguf.reader import parse_head
from lsp_server.models.gguf.shard_set import ShardSet
from lsp_server.models.reference import CatalogRef, HubRef
from lsp_server.models.sources import Fetched, Peek
from lsp_server.models.store import ModelStore
from lsp_server.models.transfer import Monitor, Transfer
from lsp_server.settings.schema import ModelSettings, Settings

DATA = b"GGUF\x03\x00\x00\x00" + bytes(992)
SHA = hashlib.sha256(DATA).hexdigest()


def model(name: str, *, commercial_use: bool = True) -> CatalogModel:
    return CatalogModel(
        name=name,
        title=name.title(),
        roles=("completion",),
        repository=f"org/{name}",
        files=(ModelFile(f"{name}.gguf", len(DATA), SHA),),
        licence="MIT" if commercial_use else "Research",
        commercial_use=commercial_use,
        fim=True,
    )


class LocalSource:
    """Writes the model's file; or acts like a user who presses Ctrl-C."""

    name = "local"

    def __init__(self) -> None:
        self.interrupted = False

    def offers(self, ref: CatalogRef | HubRef) -> bool:
        return True

    def fetch(self, ref: CatalogRef | HubRef, folder: Path, monitor: Monitor) -> list[Fetched]:
        if self.interrupted:
            raise KeyboardInterrupt
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{ref.id}.gguf"
        for done in (0, 150, 500, 1000):
            monitor.report(Transfer(path.name, done, 1000, "download"))
        path.write_bytes(DATA)
        return [Fetched(path.name, path, SHA)]

    def peek(self, ref: CatalogRef | HubRef) -> Peek:
        head = parse_head(DATA, Path(ref.repository, "m.gguf"), len(DATA))
        return Peek(ShardSet((head,)), 9_400_000)


@pytest.fixture
def source() -> LocalSource:
    return LocalSource()


@pytest.fixture
def run(tmp_path: Path, source: LocalSource, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run ``shardlight models ...`` on a store with two models."""
    catalog = Catalog({m.name: m for m in (model("tiny"), model("study", commercial_use=False))}, {}, {})
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf"))

    def store_from(directory: str, *, registry_mirror: bool) -> ModelStore:
        assert registry_mirror
        return ModelStore(Path(directory), catalog, [source])

    monkeypatch.setattr(cli, "store_from", store_from)
    settings = Settings(models=ModelSettings(directory=str(tmp_path / "store"), registry_mirror=True))

    def run(*words: str) -> int:
        parser = argparse.ArgumentParser()
        cli.register(parser.add_subparsers())
        args = parser.parse_args(["models", *words])
        code = args.run(args, settings)
        assert isinstance(code, int)
        return code

    return run


def test_list_in_a_pipe_is_one_line_a_model(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    run("pull", "tiny")
    capsys.readouterr()
    assert run("list") == 0
    assert capsys.readouterr().out.splitlines() == [
        "tiny\tcompletion\t1.0 kB\tMIT\tfim\tinstalled",
        "study\tcompletion\t1.0 kB\tResearch (non-commercial)\tfim\tnot installed",
    ]


def test_list_on_a_terminal_is_a_table(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    assert run("list") == 0
    out = capsys.readouterr().out
    assert "Licence" in out
    assert "Research (non-commercial)" in out
    assert "\x1b[" in out


def test_list_as_json(run: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run("pull", "study")
    capsys.readouterr()
    assert run("list", "--json") == 0
    tiny, study = json.loads(capsys.readouterr().out)
    assert (tiny["name"], tiny["installed"], tiny["path"], tiny["commercial_use"]) == ("tiny", False, None, True)
    assert study["path"] == str(tmp_path / "store" / "study" / "study.gguf")
    assert (study["size_bytes"], study["roles"], study["fim"], study["commercial_use"]) == (
        1000,
        ["completion"],
        True,
        False,
    )


def test_pull_says_how_far_it_is_and_where_the_model_went(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run("pull", "tiny") == 0
    captured = capsys.readouterr()
    assert captured.out == f"tiny is ready: {tmp_path / 'store' / 'tiny' / 'tiny.gguf'} (1.0 kB)\n"
    lines = captured.err.splitlines()
    assert lines[0] == "Downloading tiny.gguf: 0 %, 0 B of 1.0 kB"
    assert lines[1].startswith("Downloading tiny.gguf: 15 %, 150 B of 1.0 kB, ")
    assert lines[1].endswith(" s left")
    assert any(line.startswith("Verifying tiny.gguf: 100 %") for line in lines)


def test_pull_tells_other_programs_how_far_it_is(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run("pull", "study", "--json") == 0
    captured = capsys.readouterr()
    said = [json.loads(line) for line in captured.out.splitlines()]
    path = str(tmp_path / "store" / "study" / "study.gguf")
    assert [one.get("percent") for one in said if one["state"] == "downloading"] == [0, 15, 50, 100]
    assert (said[1]["done_bytes"], said[1]["total_bytes"]) == (150, 1000)
    assert said[1]["message"].startswith("150 B of 1.0 kB, ")
    assert said[-2] | {"message": ""} == {
        "state": "verifying",
        "percent": 100,
        "done_bytes": 1000,
        "total_bytes": 1000,
        "message": "",
    }
    assert said[-1] == {"state": "ready", "model": "study", "path": path, "size_bytes": 1000}
    # What is for people does not come between.
    assert "not for commercial use" in captured.err


def test_pull_on_a_terminal_draws_bars(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "160")
    assert run("pull", "tiny") == 0
    err = capsys.readouterr().err
    assert "Downloading tiny.gguf" in err
    assert "100%" in err


def test_pull_warns_of_a_licence_that_forbids_commercial_use(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    run("pull", "study")
    assert "not for commercial use" in capsys.readouterr().err


def test_ctrl_c_ends_with_130_and_the_way_to_go_on(
    run: Callable[..., int], source: LocalSource, capsys: pytest.CaptureFixture[str]
) -> None:
    source.interrupted = True
    assert run("pull", "tiny") == 130
    assert "shardlight models pull tiny" in capsys.readouterr().err


def test_path_prints_only_the_path(run: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(ModelNotInstalledError):
        run("path", "tiny")
    run("pull", "tiny")
    capsys.readouterr()
    assert run("path", "tiny") == 0
    assert capsys.readouterr().out == f"{tmp_path / 'store' / 'tiny' / 'tiny.gguf'}\n"


@pytest.mark.parametrize("name", ["tiny", "hf:org/repo", "hf:org/repo:Q8_0"])
def test_inspect_of_a_model_that_is_not_here_reads_its_heads_and_says_so(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    assert run("inspect", name, "--json") == 0
    captured = capsys.readouterr()
    card = json.loads(captured.out)
    assert (card["name"], card["file_bytes"], card["n_shards"]) == ("m", 1000, 1)
    assert captured.err == f"{name} is not on this machine; only the heads of its files were read: 9.4 MB.\n"
    assert not (tmp_path / "store").exists()


def test_inspect_of_a_model_that_is_here_has_nothing_to_say_besides(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    run("pull", "tiny")
    capsys.readouterr()
    assert run("inspect", "tiny") == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("tiny\n")
    assert captured.err == ""


def test_verify_goes_on_after_a_bad_model(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run("verify") == 0
    assert capsys.readouterr().out == "No model is installed.\n"
    run("pull", "tiny")
    run("pull", "study")
    (tmp_path / "store" / "tiny" / "tiny.gguf").write_bytes(b"rotten")
    capsys.readouterr()
    assert run("verify") == 1
    tiny, study = capsys.readouterr().out.splitlines()
    assert tiny.startswith("tiny: FAILED. tiny.gguf has not the bytes")
    assert study == "study: ok"


def test_verify_one(run: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(DATA)
    assert run("verify", str(own)) == 0
    assert "nobody has published its checksum" in capsys.readouterr().out
    run("pull", "tiny")
    (tmp_path / "store" / "tiny" / "tiny.gguf").write_bytes(b"rotten")
    with pytest.raises(ChecksumError):
        run("verify", "tiny")


def test_remove(run: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run("pull", "tiny")
    capsys.readouterr()
    assert run("remove", "tiny") == 0
    assert capsys.readouterr().out == "Removed tiny (1.0 kB).\n"
    assert not (tmp_path / "store" / "tiny").exists()


def test_an_unknown_name_offers_near_ones(run: Callable[..., int]) -> None:
    with pytest.raises(UnknownModelError) as caught:
        run("pull", "tny")
    assert "tiny" in caught.value.hint
