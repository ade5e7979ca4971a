"""Fetching a model that an editor needs: asked for first, then with progress, and to be stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from lsp_server.errors import DownloadError, ModelNotInstalledError
from lsp_server.models.files import figures, human_size
from lsp_server.models.reference import CatalogRef, ModelRef
from lsp_server.models.store import ModelStore
from lsp_server.models.transfer import Tally, Total, Transfer
from lsp_server.server.progress import WorkProgress
from lsp_server.server.status import Status

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

_DOWNLOAD, _LATER = "Download", "Not now"


async def download(server: LanguageServer, store: ModelStore, ref: ModelRef, show: Callable[[Status], None]) -> None:
    """Ask the user, then fetch a model.

    Raises:
        ModelNotInstalledError: the user does not want it.
        DownloadError: it could not be fetched, or was stopped; what is there is kept.
    """
    size = ref.model.size if isinstance(ref, CatalogRef) else None
    licence = f", {ref.model.licence}" if isinstance(ref, CatalogRef) else ""
    facts = f" ({human_size(size)}{licence})" if size else ""
    show(Status("missing", ref.id, message=f"The model {ref.id} is not on this machine yet."))
    answer = await server.window_show_message_request_async(
        lsp.ShowMessageRequestParams(
            lsp.MessageType.Info,
            f"Shardlight needs the model {ref.id}{facts}. It is downloaded once and stays on this machine.",
            [lsp.MessageActionItem(_DOWNLOAD), lsp.MessageActionItem(_LATER)],
        )
    )
    if answer is None or answer.title != _DOWNLOAD:
        raise ModelNotInstalledError(
            f"The model {ref.id} is not installed.", hint=f"`shardlight models pull {ref.id}` fetches it."
        )
    loop = asyncio.get_running_loop()
    stop = False
    async with WorkProgress(server, f"Downloading {ref.id}") as progress:
        tally = Tally()

        def show_total(total: Total) -> None:
            if stop:
                return  # The thread goes on until it notices.
            verb = "verifying" if total.phase == "verify" else "downloading"
            progress.report(f"{verb}, {figures(total)}", total.percent)
            show(Status("downloading", ref.id, total.percent, figures(total)))

        def report(transfer: Transfer) -> None:
            loop.call_soon_threadsafe(show_total, tally.add(transfer))

        try:
            await asyncio.to_thread(store.pull, ref, report, lambda: stop)
        except asyncio.CancelledError:
            stop = True
            raise DownloadError(f"The download of {ref.id} was stopped.", hint="Asked again, it goes on.") from None
