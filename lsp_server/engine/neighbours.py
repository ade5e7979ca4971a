"""The other engines of this user on this machine: what they take of it, and that those in disuse make room.

What is free, by the system's count, has the weights of the others in it: their pages belong to files and can be dropped
at any time, at the price of reading them again with every token. A plan that counts on them starves both models.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from filelock import FileLock, Timeout

from lsp_server.engine import runtime
from lsp_server.engine.runtime import EngineRecord
from lsp_server.errors import PlanError
from lsp_server.models.files import human_size
from lsp_server.models.planning.placement import CPU
from lsp_server.models.planning.plan import Plan

logger = logging.getLogger(__name__)

Claims = Mapping[str, int]
"""Bytes by device; negative where so many are given back."""

# Planning takes seconds; one that waits longer than this for another's plan goes on without.
_LOCK_S = 60.0
_LEAVE_S = 15.0
_POLL_S = 0.1
# Another engine is not sent away for less than this.
_WORTH = 1.1


class Alone:
    """Nobody else is taken into account."""

    def planned(self, make: Callable[[Claims], Plan]) -> Plan:
        """A plan for the whole machine."""
        return make({})

    def loaded(self, plan: Plan) -> None:
        """The weights are where they were planned."""


ALONE = Alone()


@dataclass(frozen=True, slots=True)
class Neighbours(Alone):
    """Those of one engine.

    Attributes:
        name, pid: of its own record.
        model_path: of its own model; another engine over the same file shares its pages.
    """

    name: str
    pid: int
    model_path: str

    def planned(self, make: Callable[[Claims], Plan]) -> Plan:
        """A plan that leaves the others what they have, and is told to those that plan next.

        Engines that editors had and that no editor has any more are asked to leave if that makes it a better plan.

        Args:
            make: a plan beside such claims; called anew when somebody has left.

        Raises:
            PlanError: as ``make`` does, when no more room can be made.
        """
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(FileLock(str(runtime.runtime_directory() / "planning.lock"), timeout=_LOCK_S))
            except Timeout:
                logger.warning("Another engine has been planning for %.0f s and is not waited for.", _LOCK_S)
            unused = [record for record in self._others() if is_unused(record)]
            if unused and self.is_better_without(unused, make):
                for record in unused:
                    _send_away(record)
            plan = make(self._claims())
            runtime.update(self.name, self.pid, claims=claims_of(plan))
            return plan

    def is_better_without(self, leaving: list[EngineRecord], make: Callable[[Claims], Plan]) -> bool:
        """Whether the machine without those gives a plan where there is none, or a faster one."""
        return _is_better(make, self._claims(leaving), self._claims())

    def loaded(self, plan: Plan) -> None:
        """The weights are where they were planned: what is free is counted without them from now on."""
        runtime.update(self.name, self.pid, claims=claims_of(plan), loaded=True)

    def _others(self) -> list[EngineRecord]:
        return [record for record in runtime.all_running() if record.pid != self.pid]

    def _claims(self, leaving: list[EngineRecord] | None = None) -> Claims:
        """What the others take that the system does not count as taken, less what those that leave give back."""
        claims: dict[str, int] = {}
        for record in self._others():
            leaves, shared = record in (leaving or []), record.model_path == self.model_path
            for device, unseen in unseen_claims(record).items():
                more = unseen - record.claims[device] if leaves else 0 if shared else unseen
                claims[device] = claims.get(device, 0) + more
        return claims


def claims_beside(model_path: Path) -> Claims:
    """What the engines that run leave to one more, of this model."""
    return Neighbours("", os.getpid(), str(model_path.absolute()))._claims()


def told(claims: Claims) -> tuple[str, ...]:
    """A sentence for each device that other engines have a part of."""
    parts = [("the RAM" if device == CPU else device, n_bytes) for device, n_bytes in claims.items() if n_bytes > 0]
    return tuple(f"{human_size(n_bytes)} of {device} are left to other models that run." for device, n_bytes in parts)


def claims_of(plan: Plan) -> dict[str, int]:
    """Bytes that a plan takes, by device."""
    return {device.name: device.n_bytes for device in plan.devices}


def unseen_claims(record: EngineRecord) -> dict[str, int]:
    """What an engine takes of each device beyond what the system counts as taken.

    Of the RAM that is what is no memory of the process's own: pages of the model's file. A GPU's is counted when the
    load is over; until then all of it may still come.
    """
    own = _private_bytes(record.pid)
    return {
        device: max(0, n_bytes - own) if device == CPU else 0 if record.loaded else n_bytes
        for device, n_bytes in record.claims.items()
    }


def _private_bytes(pid: int) -> int:
    """Memory of a process that is no page of a file; all that it has where the system does not tell them apart."""
    try:
        memory = psutil.Process(pid).memory_info()
    except psutil.Error:
        return 0
    return int(memory.rss - getattr(memory, "shared", 0))


def _is_better(make: Callable[[Claims], Plan], alone: Claims, beside: Claims) -> bool:
    try:
        best = make(alone)
    except PlanError:
        return False
    try:
        plan = make(beside)
    except PlanError:
        return True
    from_disk = (best.verdict, plan.verdict) == ("fits", "from disk")
    return from_disk or best.predicted.decode > plan.predicted.decode * _WORTH


def is_unused(record: EngineRecord) -> bool:
    """Whether editors had an engine and none has it now. One that was started by hand is in use as long as it runs."""
    try:
        props = _ask(record, "GET", "/props").json()
    except (httpx.HTTPError, ValueError):
        return False
    return isinstance(props, dict) and props.get("unused") is True


def _send_away(record: EngineRecord) -> None:
    logger.info("%s makes room: no editor uses it any more.", record.model_id)
    try:
        _ask(record, "POST", "/drain")
    except httpx.HTTPError as error:
        logger.warning("%s cannot be asked to leave: %s", record.model_id, error)
    deadline = time.monotonic() + _LEAVE_S
    while record.alive and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _ask(record: EngineRecord, method: str, path: str) -> httpx.Response:
    return httpx.request(method, record.url + path, headers=record.headers, timeout=5.0, trust_env=False)
