"""pip-audit itself, with a vulnerability service of our own on the loopback interface, or with none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.support.ports import free_port
from tools import audit
from tools.audit import rounds
from tools.lock import Pin, read

KNOWN = {
    "id": "GHSA-0000-0000-0000",
    "summary": "It sleeps too well.",
    "affected": [
        {
            "package": {"name": "sleepy", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}],
        }
    ],
}


class Service(BaseHTTPRequestHandler):
    """OSV's protocol: there is something about sleepy 1.0, and nothing about anything else."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        bad = (asked["package"]["name"], asked["version"]) == ("sleepy", "1.0")
        answer = json.dumps({"vulns": [KNOWN]} if bad else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The only service is ours."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/query"
        monkeypatch.setattr(audit, "SERVICES", [("osv", "--osv-url", url)])
        yield
        server.shutdown()
        thread.join()


def locked(monkeypatch: pytest.MonkeyPatch, *versions: str) -> None:
    """The lock files name these versions."""
    pins = read("".join(f"{version}\n" for version in versions))
    monkeypatch.setattr(audit.lock, "LOCKS", {"release": ""})
    monkeypatch.setattr(audit.lock, "read", lambda _text: pins)


@pytest.mark.usefixtures("service")
def test_what_is_found_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    locked(monkeypatch, "sleepy==1.0", "wakeful==3.1")
    assert audit.main() == 1
    said = capsys.readouterr().out
    assert "sleepy==1.0: GHSA-0000-0000-0000, fixed in 2.0" in said
    assert "2 locked versions audited, 1 known vulnerabilities." in said
    assert "make lock UPGRADE=1" in said


@pytest.mark.usefixtures("service")
def test_what_is_accepted_does_not_fail(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    locked(monkeypatch, "sleepy==1.0")
    monkeypatch.setattr(audit, "ACCEPTED", {KNOWN["id"]: "it may sleep"})
    assert audit.main() == 0
    assert "1 locked versions audited, 0 known vulnerabilities." in capsys.readouterr().out


@pytest.mark.usefixtures("service")
def test_every_version_of_a_package_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = "sleepy==1.0 ; python_version < '3.0'", "sleepy==2.0 ; python_version >= '3.0'"
    locked(monkeypatch, old, new)
    assert audit.main() == 1
    assert "2 locked versions audited" in capsys.readouterr().out


def test_without_a_service_it_is_said_that_nothing_was_audited(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "SERVICES", [("osv", "--osv-url", f"http://127.0.0.1:{free_port()}/query")])
    locked(monkeypatch, "sleepy==1.0")
    assert audit.main() == 0
    assert "NOT audited" in capsys.readouterr().out


def test_a_service_that_knows_no_package_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # What a mirror without the pages of versions is told by.
    unknown = audit.Report([], ["sleepy"], [])
    monkeypatch.setattr(audit, "ask", lambda _service, _wanted: unknown)
    locked(monkeypatch, "sleepy==1.0")
    assert audit.main() == 0
    assert "NOT audited" in capsys.readouterr().out


def test_no_list_names_a_package_twice() -> None:
    def pin(line: str) -> Pin:
        return read(line)[0]

    pins = [pin("a==1"), pin("a==2"), pin("b==1"), pin("a==1 ; python_version < '3.11'")]
    assert rounds(pins) == [["a==1", "b==1"], ["a==2"]]


def test_what_a_service_does_not_know_is_not_audited() -> None:
    answer = {
        "dependencies": [{"name": "ours", "skip_reason": "not found"}, {"name": "a", "version": "1", "vulns": []}]
    }
    assert audit.read(json.dumps(answer)) == audit.Report(["a==1"], ["ours"], [])
