"""initialize, settings, shutdown."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from lsp_server.server.documents import path_of
from lsp_server.server.handlers.workspace import watching
from lsp_server.server.session import Session

logger = logging.getLogger(__name__)
SECTION = "shardlight"

# Asked before anybody can have ended.
_STARTED_BY = os.getppid()
# Seconds within which a client is to have told its settings; later ones count from when they come.
_SETTINGS_S = 3.0
# Seconds that what is to be put away may take once nobody is there any more.
_TIDY_S = 10.0


def register(server: LanguageServer, session: Session) -> None:
    """Add the handlers."""
    # A task that nobody holds may be collected.
    watches: list[asyncio.Task[None]] = []

    @server.feature(lsp.INITIALIZE)
    async def initialize(params: lsp.InitializeParams) -> None:
        options = params.initialization_options
        options = options if isinstance(options, Mapping) else {}
        # Only the client knows whether the user trusts the workspace; silence means no.
        session.trusted = options.get("trusted") is True
        session.tells_status = options.get("status") is True
        session.client.name = params.client_info.name if params.client_info else ""
        session.roots = _roots(params)
        if params.process_id is not None:
            watches.append(asyncio.create_task(_leave_with(params.process_id, session)))
        await session.configure(_mapping(options.get("settings")))
        # Documents are opened before the client has told the rest of its settings: what git ignores is known by then.
        session.exclude()
        if _can_be_asked(params.capabilities):
            asyncio.get_running_loop().call_later(_SETTINGS_S, session.settled.set)
        else:
            session.settled.set()

    @server.feature(lsp.INITIALIZED)
    async def initialized(_params: lsp.InitializedParams) -> None:
        workspace = server.client_capabilities.workspace
        dynamic = workspace and workspace.did_change_configuration
        if dynamic and dynamic.dynamic_registration:
            registration = lsp.Registration(
                "configuration", lsp.WORKSPACE_DID_CHANGE_CONFIGURATION, {"section": SECTION}
            )
            server.client_register_capability(lsp.RegistrationParams([registration]))
        if watched := watching(server):
            server.client_register_capability(lsp.RegistrationParams([watched]))
        await _ask_configuration(server, session)
        session.settled.set()
        session.warm_up(*(uri for uri, _ in session.documents))
        if session.tells_status:
            session.status.start()
        session.follow_roots()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(params: lsp.DidChangeConfigurationParams) -> None:
        if not await _ask_configuration(server, session):
            await session.configure(_mapping(_mapping(params.settings).get(SECTION)))
        session.follow_roots()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def did_change_workspace_folders(params: lsp.DidChangeWorkspaceFoldersParams) -> None:
        removed = {path_of(f.uri) for f in params.event.removed}
        added = tuple(p for f in params.event.added if (p := path_of(f.uri)))
        session.roots = (*(r for r in session.roots if r not in removed), *added)
        session.follow_roots()

    @server.feature(lsp.SHUTDOWN)
    async def shutdown(_params: None) -> None:
        await session.aclose()


async def _leave_with(process_id: int, session: Session) -> None:
    """End this process when the editor's has ended."""
    from lsp_server.server import parent

    await parent.gone(process_id, started_us=process_id == _STARTED_BY)
    logger.warning("The editor (process %d) is gone; leaving.", process_id)
    try:
        await asyncio.wait_for(session.aclose(), _TIDY_S)
    finally:
        # A thread may be reading an input that does not end.
        os._exit(1)


async def _ask_configuration(server: LanguageServer, session: Session) -> bool:
    """Ask the client for its settings; False if it cannot be asked."""
    if not _can_be_asked(server.client_capabilities):
        return False
    items = [lsp.ConfigurationItem(section=SECTION)]
    answer = await server.workspace_configuration_async(lsp.ConfigurationParams(items))
    if answer and answer[0] is not None:
        await session.configure(_mapping(answer[0]))
    return True


def _can_be_asked(client: lsp.ClientCapabilities) -> bool:
    return bool(client.workspace and client.workspace.configuration)


def _mapping(value: Any) -> dict[str, Any]:
    """A JSON object as a dict, however pygls has read it; empty for anything else."""
    if isinstance(value, Mapping):
        return {str(k): _mapping(v) if _is_object(v) else v for k, v in value.items()}
    return _mapping(value._asdict()) if hasattr(value, "_asdict") else {}


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping) or hasattr(value, "_asdict")


def _roots(params: lsp.InitializeParams) -> tuple[Path, ...]:
    uris = [folder.uri for folder in params.workspace_folders or []]
    if not uris and params.root_uri:
        uris = [params.root_uri]
    return tuple(p for uri in uris if (p := path_of(uri)))
