"""``shardlight doctor``: every check is reported, whatever the others do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lsp_server.cli import doctor
from lsp_server.cli.main import main
from lsp_server.engine.hardware import Device, Library


@pytest.fixture(autouse=True)
def _empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HF_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    device = Device("CPU", "A processor", "cpu", 8 * 10**9, 16 * 10**9)
    monkeypatch.setattr(doctor.hardware, "probe_library", lambda: Library("0.3.36", "AVX2 = 1", (device,)))


def _report(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    data = json.loads(capsys.readouterr().out)
    return {check["name"]: check for check in data["checks"]}


def test_missing_models_fail_and_say_how_to_get_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 1
    checks = _report(capsys)
    assert checks["python"]["status"] == "ok"
    assert checks["llama.cpp"]["status"] == "ok"
    assert checks["grammars"]["status"] == "ok"
    for name in ("completion model", "assistant model", "engine"):
        assert checks[name]["status"] == "failed"
        assert "shardlight models pull" in checks[name]["hint"]


def test_a_library_that_crashes_is_one_failed_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash() -> Library:
        raise OSError("llama.cpp could not be loaded: exit code -11")

    monkeypatch.setattr(doctor.hardware, "probe_library", crash)
    assert main(["doctor", "--json"]) == 1
    check = _report(capsys)["llama.cpp"]
    assert check["status"] == "failed"
    assert "-11" in check["detail"]
    assert "make setup" in check["hint"]


def test_a_build_with_amx_is_a_warning(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.hardware, "probe_library", lambda: Library("0.3.36", "AMX_INT8 = 1 | AVX2 = 1", ()))
    main(["doctor", "--json"])
    assert _report(capsys)["llama.cpp"]["status"] == "warning"


def test_an_unforeseen_failure_does_not_end_the_examination(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor.hardware, "memory_bytes", lambda: 1 // 0)
    main(["doctor", "--json"])
    checks = _report(capsys)
    assert checks["memory"]["status"] == "failed"
    assert "ZeroDivisionError" in checks["memory"]["detail"]
    assert "grammars" in checks


def test_wrong_settings_are_a_warning(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARDLIGHT_ENGINE__PORT", "99999")
    main(["doctor", "--json"])
    check = _report(capsys)["settings"]
    assert check["status"] == "warning"
    assert "at most 65535" in check["detail"]


def test_for_people_each_check_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("ok") and "python" in line for line in lines)
    assert any(line.startswith("failed") and "completion model" in line for line in lines)
    assert any("→" in line for line in lines)
