"""Which server elsewhere is wanted for a role, with its key, as the settings say."""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from lsp_server.errors import BackendRejectedError
from lsp_server.models.catalog import Role
from lsp_server.settings.schema import Settings

_KEY_TIMEOUT_S = 10.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class RemoteSpec:
    """A server elsewhere.

    Attributes:
        url: without the ``/v1`` that people add, and without a slash at its end.
        model: what to ask it for; empty: the first that it lists.
        key: no message and no log has it.
    """

    role: Role
    url: str
    model: str = ""
    key: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """Where it is, for people: host and port."""
        return urlsplit(self.url).netloc

    @property
    def is_here(self) -> bool:
        """Whether nothing leaves this machine on the way to it."""
        return urlsplit(self.url).hostname in _LOOPBACK


def remote_urls(settings: Settings, role: Role) -> tuple[str, ...]:
    """The addresses of the servers elsewhere that serve a role, the preferred one first; none for an engine here."""
    backend = settings.backend
    urls = backend.completion_url if role == "completion" else backend.assistant_url
    return tuple(url for url in urls if url.strip())


def is_remote(settings: Settings, role: Role) -> bool:
    """Whether a server elsewhere serves a role."""
    return bool(remote_urls(settings, role))


def remote_host(settings: Settings, role: Role) -> str:
    """Where the preferred server of a role is, for people; empty if there is none, or its address is none."""
    return _split(next(iter(remote_urls(settings, role)), "")).netloc.rpartition("@")[2]


def remote_spec(settings: Settings, role: Role, url: str) -> RemoteSpec:
    """The server of a role at one of its addresses. May run a command for its key.

    Raises:
        BackendRejectedError: the address is none, or there is no key where one should be.
    """
    parts = _split(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BackendRejectedError(
            f"backend.{role}_url is no address of a server: {parts.geturl().rpartition('@')[2]!r}.",
            hint="It looks like http://gpu.example:8080.",
        )
    if "@" in parts.netloc:
        raise BackendRejectedError(
            f"backend.{role}_url has a name or a password in it.",
            hint=f"Keys come from backend.{role}_key_env or backend.{role}_key_command.",
        )
    path = parts.path.rstrip("/").removesuffix("/v1")
    backend = settings.backend
    if role == "completion":
        model, key_env, key_command = (
            backend.completion_model,
            backend.completion_key_env,
            backend.completion_key_command,
        )
    else:
        model, key_env, key_command = backend.assistant_model, backend.assistant_key_env, backend.assistant_key_command
    key = _printable(_key(role, key_env, key_command), role)
    return RemoteSpec(role, f"{parts.scheme}://{parts.netloc}{path}", model, key)


def _split(url: str) -> SplitResult:
    """The parts of an address; all empty where it cannot be read."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # Raises where it is no number.
    except ValueError:
        return urlsplit("")
    return parts


def _key(role: Role, variable: str, command: Sequence[str]) -> str:
    if variable:
        if key := os.environ.get(variable, "").strip():
            return key
        raise BackendRejectedError(
            f"The environment variable {variable}, which backend.{role}_key_env names, is not set.",
            hint="The editor has to be started where it is set; a key command needs no environment.",
        )
    return _written(role, tuple(command)) if command else ""


@functools.cache
def _written(role: Role, command: tuple[str, ...]) -> str:
    """What a command writes. Once a process: it may ask the user for something."""
    setting = f"backend.{role}_key_command"
    try:
        # In the user's home: what is found in the editor's folder may be a workspace's.
        done = subprocess.run(
            list(command), cwd=Path.home(), stdin=subprocess.DEVNULL, capture_output=True, timeout=_KEY_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise BackendRejectedError(f"{setting} took longer than {_KEY_TIMEOUT_S:.0f} s.") from None
    except OSError as error:
        raise BackendRejectedError(f"{setting} cannot be run: {error.strerror}: {command[0]}.") from None
    # What it says is nobody's business: it may be the key.
    key = done.stdout.decode("utf-8", errors="replace").strip()
    if done.returncode or not key:
        ended = f"ended with status {done.returncode}" if done.returncode else "wrote nothing"
        raise BackendRejectedError(f"{setting} {ended}.", hint="Run it in a terminal in your home folder.")
    return key


def forget_keys() -> None:
    """A key was refused: the next one comes from its command again."""
    _written.cache_clear()


def _printable(key: str, role: Role) -> str:
    if key and not (key.isascii() and key.isprintable()):
        raise BackendRejectedError(f"The key for backend.{role}_url is not one line of plain characters.")
    return key
