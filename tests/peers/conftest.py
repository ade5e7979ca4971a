"""Servers of other people, fetched into the user's own cache folder: they are large, and tests do not change them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import peers
from tests.support.peers import Peer
from tools.editors.fetching import NotHereError
from tools.peers import cache_folder

# Before tests get cache folders of their own.
FOLDER = cache_folder()
_SERVERS = {"llama-server": peers.llama_server, "llama_cpp.server": peers.llama_cpp_server}


@pytest.fixture(scope="module", params=_SERVERS)
def peer(request: pytest.FixtureRequest, small_model: Path) -> Iterator[Peer]:
    """A server that runs, with the small real model."""
    try:
        with _SERVERS[request.param](FOLDER, small_model) as peer:
            yield peer
    except NotHereError as error:
        pytest.skip(f"{request.param} cannot be had here: {error}")
