"""Look for known vulnerabilities in what the lock files name: ``python -m tools.audit``.

pip-audit asks a service: PyPI's own, or OSV where that one does not know the packages. A network may let neither
through; then that is said and nothing fails, as nothing was found. What is found fails, unless ``ACCEPTED`` has it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tools import lock
from tools.lock import Pin

SERVICES: Sequence[Sequence[str]] = (("pypi",), ("osv",))
"""How pip-audit is told whom to ask, in this order."""

ACCEPTED: Mapping[str, str] = {}
"""Vulnerabilities that do not concern us: identifier -> why."""

_TIMEOUT_S = "15"


class Report(NamedTuple):
    """What a service said.

    Attributes:
        audited: ``name==version`` that it knows.
        unknown: names that it does not know.
        found: a line for each vulnerability.
    """

    audited: list[str]
    unknown: list[str]
    found: list[str]


def rounds(pins: Iterable[Pin]) -> list[list[str]]:
    """All versions as ``name==version``, once each, in lists that have no name twice: pip-audit takes no other."""
    lists: list[dict[str, str]] = []
    for name, version in sorted({(pin.name, pin.version) for pin in pins}):
        free = next((one for one in lists if name not in one), None)
        if free is None:
            lists.append(free := {})
        free[name] = version
    return [[f"{name}=={version}" for name, version in one.items()] for one in lists]


def read(answer: str) -> Report:
    """What pip-audit's JSON says.

    Raises:
        ValueError: it is not pip-audit's JSON.
    """
    report = Report([], [], [])
    for dependency in json.loads(answer)["dependencies"]:
        name = dependency["name"]
        if "skip_reason" in dependency:
            report.unknown.append(name)
            continue
        version = f"{name}=={dependency['version']}"
        report.audited.append(version)
        for vulnerability in dependency["vulns"]:
            fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
            report.found.append(f"{version}: {vulnerability['id']}, fixed in {fixed}")
    return report


def ask(service: Sequence[str], wanted: Sequence[str]) -> Report | None:
    """What a service says of some versions; None where it cannot be reached."""
    ignored = [word for one in ACCEPTED for word in ("--ignore-vuln", one)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "requirements.txt")
        path.write_text("".join(f"{one}\n" for one in wanted), encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(path), "--no-deps", "--disable-pip"]
        command += ["--format", "json", "--progress-spinner", "off", "--timeout", _TIMEOUT_S, *ignored]
        done = subprocess.run([*command, "-s", *service], capture_output=True, encoding="utf-8", check=False)
    try:
        return read(done.stdout)
    except (ValueError, KeyError, TypeError):
        return None


def audit(pins: Sequence[Pin], services: Sequence[Sequence[str]]) -> Report | None:
    """What the first service says that knows any of the packages; None if none does."""
    for service in services:
        whole = Report([], [], [])
        for wanted in rounds(pins):
            if (part := ask(service, wanted)) is None:
                break
            for all_of, some in zip(whole, part, strict=True):
                all_of.extend(some)
        else:
            if whole.audited:
                return whole
    return None


def main() -> int:
    """Returns 1 if a vulnerability was found, else 0."""
    pins = [pin for name in lock.LOCKS for pin in lock.read(lock.path(name).read_text(encoding="utf-8"))]
    report = audit(pins, SERVICES)
    if report is None:
        print("Dependencies were NOT audited: no vulnerability service within reach knows them.")
        return 0
    for line in report.found:
        print(line)
    print(f"{len(report.audited)} locked versions audited, {len(report.found)} known vulnerabilities.")
    if report.unknown:
        print(f"NOT audited, since the service does not know them: {', '.join(report.unknown)}.")
    if report.found:
        print("Take newer versions (make lock UPGRADE=1), or write into ACCEPTED in tools/audit.py why not.")
    return 1 if report.found else 0


if __name__ == "__main__":
    sys.exit(main())
