from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lsp_server.errors import BackendRejectedError
from lsp_server.inference import remote_spec as subject
from lsp_server.inference.remote_spec import RemoteSpec, forget_keys, is_remote, remote_host, remote_spec, remote_urls
from lsp_server.settings.schema import BackendSettings, Settings

URL = "http://gpu.example:8080"


def settings(url: str = URL, env: str = "", command: tuple[str, ...] = ()) -> Settings:
    backend = BackendSettings(completion_url=(url,), completion_key_env=env, completion_key_command=command)
    return Settings(backend=backend)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("http://gpu.example:8080", "http://gpu.example:8080"),
        ("https://gpu.example/", "https://gpu.example"),
        (" http://gpu.example/v1/ ", "http://gpu.example"),
        ("http://gpu.example/team/v1", "http://gpu.example/team"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_an_address_with_and_without_what_people_add(url: str, normal: str) -> None:
    assert remote_spec(settings(url), "completion", url) == RemoteSpec("completion", normal)


def test_each_role_has_its_own() -> None:
    found = Settings(
        backend=BackendSettings(assistant_url=("http://a.example", "http://b.example"), assistant_model="big")
    )

    assert (is_remote(found, "completion"), is_remote(found, "assistant")) == (False, True)
    assert remote_spec(found, "assistant", "http://a.example").model == "big"
    assert remote_urls(found, "assistant") == ("http://a.example", "http://b.example")
    assert remote_host(found, "assistant") == "a.example"
    assert remote_host(found, "completion") == ""


@pytest.mark.parametrize("url", ["gpu.example:8080", "ftp://gpu.example", "http://", "http://gpu:port", "http://[::1"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(BackendRejectedError, match=r"backend\.completion_url is no address"):
        remote_spec(settings(url), "completion", url)


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    found = settings("http://me:sesame@gpu.example")

    with pytest.raises(BackendRejectedError) as refused:
        remote_spec(found, "completion", "http://me:sesame@gpu.example")

    assert "sesame" not in str(refused.value) + remote_host(found, "completion")
    assert "key_command" in refused.value.hint


@pytest.mark.parametrize(
    ("url", "here"), [("http://127.0.0.1:1", True), ("http://localhost", True), ("http://a", False)]
)
def test_what_is_on_this_machine(url: str, here: bool) -> None:
    assert RemoteSpec("completion", url).is_here is here


def test_a_key_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_KEY", " sesame\n")

    spec = remote_spec(settings(env="TEAM_KEY"), "completion", URL)

    assert spec.key == "sesame"
    assert "sesame" not in repr(spec)


def test_a_variable_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEAM_KEY", raising=False)

    with pytest.raises(BackendRejectedError, match=r"TEAM_KEY, which backend\.completion_key_env names, is not set"):
        remote_spec(settings(env="TEAM_KEY"), "completion", URL)


def test_a_key_from_a_command_that_does_not_run_in_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    code = "import os, pathlib; pathlib.Path('was here').touch(); print('ses' + 'ame')"

    assert remote_spec(settings(command=(sys.executable, "-c", code)), "completion", URL).key == "sesame"
    assert (tmp_path / "was here").exists()


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("print('sesame'); raise SystemExit(3)", "ended with status 3"),
        ("", "wrote nothing"),
        ("print('sesame\\nsesame')", "not one line"),
        ("print('sesäme')", "not one line"),
    ],
)
def test_a_command_without_a_key_is_told_without_what_it_wrote(code: str, complaint: str) -> None:
    with pytest.raises(BackendRejectedError, match=complaint) as refused:
        remote_spec(settings(command=(sys.executable, "-X", "utf8", "-c", code)), "completion", URL)

    assert "ses" not in str(refused.value)


def test_a_command_that_is_not_there() -> None:
    with pytest.raises(BackendRejectedError, match=r"key_command cannot be run: .*no-such-program"):
        remote_spec(settings(command=("no-such-program",)), "completion", URL)


def test_a_command_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "_KEY_TIMEOUT_S", 0.01)

    with pytest.raises(BackendRejectedError, match="took longer"):
        remote_spec(settings(command=(sys.executable, "-c", "import time; time.sleep(60)")), "completion", URL)


def test_a_command_is_run_once_until_its_key_is_refused(tmp_path: Path) -> None:
    code = "import sys; f = open(sys.argv[1], 'a'); f.write('x'); f.close(); print(len(open(sys.argv[1]).read()))"
    command = (sys.executable, "-c", code, str(tmp_path / "runs"))

    assert [remote_spec(settings(command=command), "completion", URL).key for _ in range(2)] == ["1", "1"]
    forget_keys()
    assert remote_spec(settings(command=command), "completion", URL).key == "2"
