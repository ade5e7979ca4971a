"""Hugging Face, through its own client and into its own cache, so that its environment variables all work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lsp_server.errors import (
    ChecksumError,
    InvalidModelFileError,
    ShardlightError,
    SourceUnavailableError,
    UnknownModelError,
)
from lsp_server.models.files import disk_full, is_disk_full, require_space
from lsp_server.models.gguf.head import GgufHead
from lsp_server.models.gguf.reader import MAX_HEAD_BYTES, REPAIR, HeadGoesOnError, parse_head
from lsp_server.models.gguf.shard_set import check_set
from lsp_server.models.hub_cache import cached_file, is_sha256
from lsp_server.models.reference import CatalogRef, HubRef
from lsp_server.models.shards import shard_names
from lsp_server.models.sources import Fetched, Peek, ranged
from lsp_server.models.sources.quant import choose_file
from lsp_server.models.sources.side_by_side import side_by_side
from lsp_server.models.transfer import Monitor, ignore_progress, never_cancelled

# Long enough for a slow proxy, short enough that the next source has its turn while the user still watches.
_CONNECT_TIMEOUT_S = 5.0
# Most vocabularies, which stand in the first file's head, are within 8 MiB; the other heads are an inventory only.
_FIRST_HEAD_BYTES = 8 << 20
_OTHER_HEAD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Remote:
    """A file as the hub describes it before any byte of it is fetched."""

    name: str
    size: int | None
    blob: str | None

    @property
    def sha256(self) -> str | None:
        """The published checksum, by which large files are named in the cache; small ones have a git object id."""
        return self.blob if self.blob and is_sha256(self.blob) else None


class HubSource:
    """Downloads from a Hugging Face hub.

    Args:
        endpoint: base URL; None for the one of HF_ENDPOINT, or the public hub.
    """

    name = "Hugging Face"

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint

    def offers(self, ref: CatalogRef | HubRef) -> bool:
        """Always: what a repository really holds is only known by asking."""
        return True

    def fetch(self, ref: CatalogRef | HubRef, folder: Path, monitor: Monitor) -> Sequence[Fetched]:
        """Fetch all files of a model into the hub's cache; see ``Source.fetch``."""
        repository = ref.repository
        with self._explained(ref):
            remotes = self._remotes(ref)
            _require_space(repository, remotes)
            return side_by_side(remotes, lambda remote, own: self._download(repository, remote, own), monitor)

    def peek(self, ref: CatalogRef | HubRef) -> Peek:
        """Read the heads of a model's files from the hub, some MB of them, into memory; see ``Source.peek``."""
        repository = ref.repository
        with self._explained(ref):
            beginnings = [
                (remote, _OTHER_HEAD_BYTES if number else _FIRST_HEAD_BYTES)
                for number, remote in enumerate(self._remotes(ref))
            ]
            read = side_by_side(
                beginnings,
                lambda beginning, monitor: self._head(repository, *beginning, monitor),
                Monitor(ignore_progress, never_cancelled),
            )
            return Peek(check_set([head for head, _ in read]), sum(received for _, received in read))

    @contextmanager
    def _explained(self, ref: CatalogRef | HubRef) -> Iterator[None]:
        """Our errors for all of the client's and of files that are damaged where they are."""
        try:
            yield
        except InvalidModelFileError as error:
            if error.hint != REPAIR:
                raise
            hint = f"It is so on the hub: choose another file of {self._host}/{ref.repository}/tree/main."
            raise InvalidModelFileError(error.message, hint=hint) from error
        except ShardlightError:
            raise
        except Exception as error:  # whatever the client raises (its HTTP library's errors are not in its API)
            raise self._explain(error, ref.id, ref.repository) from error

    @property
    def _host(self) -> str:
        from huggingface_hub import constants

        return self._endpoint or constants.ENDPOINT

    def _remotes(self, ref: CatalogRef | HubRef) -> list[_Remote]:
        """A model's files as the hub has them.

        The first request of all is a plain one that is not repeated: an unreachable hub must be noticed in seconds,
        while the client's download call would try for minutes.
        """
        remotes = [self._describe(ref.repository, name) for name in self._names(ref)]
        _compare_with_catalog(ref, remotes)
        return remotes

    def _names(self, ref: CatalogRef | HubRef) -> tuple[str, ...]:
        if isinstance(ref, CatalogRef):
            return tuple(file.name for file in ref.model.files)
        return shard_names(ref.filename or choose_file(self._list(ref.repository), ref))

    def _list(self, repository: str) -> list[str]:
        from huggingface_hub import HfApi

        info = HfApi(endpoint=self._endpoint).model_info(repository, timeout=_CONNECT_TIMEOUT_S)
        return [sibling.rfilename for sibling in info.siblings or []]

    def _describe(self, repository: str, name: str) -> _Remote:
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        url = hf_hub_url(repository, name, endpoint=self._endpoint)
        metadata = get_hf_file_metadata(url, timeout=_CONNECT_TIMEOUT_S, endpoint=self._endpoint)
        return _Remote(name, metadata.size, metadata.etag)

    def _download(self, repository: str, remote: _Remote, monitor: Monitor) -> Fetched:
        """Fetch one file into the hub's cache.

        The client itself starts a broken download anew, and these files have tens of gigabytes. So its blob is fetched
        here, resumably, to where the cache's documented layout has it; the client finds it there and links it.
        """
        from huggingface_hub import constants, get_session, hf_hub_download, hf_hub_url
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        if remote.blob and remote.size is not None and cached_file(repository, remote.name) is None:
            folder = Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}" / "blobs"
            blob = folder / remote.blob
            if not blob.exists():
                url = hf_hub_url(repository, remote.name, endpoint=self._endpoint)
                named = _renamed(monitor, Path(remote.name).name)
                ranged.fetch(get_session(), url, build_hf_headers(), blob, remote.size, named)
        return Fetched(
            remote.name, Path(hf_hub_download(repository, remote.name, endpoint=self._endpoint)), remote.sha256
        )

    def _head(self, repository: str, remote: _Remote, n_bytes: int, monitor: Monitor) -> tuple[GgufHead, int]:
        """One file's head, tried with its first ``n_bytes`` and then with more; and how many bytes came for it."""
        from huggingface_hub import get_session, hf_hub_url
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        path = Path(repository, remote.name)
        if remote.size is None:
            raise SourceUnavailableError(f"{self._host} does not say how long {path} is.")
        url = hf_hub_url(repository, remote.name, endpoint=self._endpoint)
        beginning = ranged.Beginning(get_session(), url, build_hf_headers())
        wanted = n_bytes
        while True:
            beginning.extend(min(wanted, MAX_HEAD_BYTES, remote.size), monitor)
            try:
                return parse_head(beginning.data, path, remote.size), beginning.received
            except HeadGoesOnError as error:
                wanted += error.needed  # more than twice as many

    def _explain(self, error: Exception, what: str, repository: str) -> ShardlightError:
        """Our error for one of the client's."""
        from huggingface_hub import constants, errors

        if isinstance(error, errors.LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
            error = error.__cause__
        host = self._host
        if is_disk_full(error):
            return disk_full(Path(constants.HF_HUB_CACHE), what)
        if isinstance(error, errors.OfflineModeIsEnabled):
            return SourceUnavailableError(
                "Hugging Face's offline mode is on.", hint="Unset HF_HUB_OFFLINE to download models."
            )
        if isinstance(error, errors.GatedRepoError):
            return SourceUnavailableError(
                f"{repository} is gated: its owner wants terms to be accepted first.",
                hint=f"Accept them at {host}/{repository}, then set HF_TOKEN to a token of that account.",
            )
        if isinstance(error, errors.EntryNotFoundError):
            return UnknownModelError(
                f"{repository} on {host} has no file for {what}.",
                hint=f"See the files at {host}/{repository}/tree/main.",
            )
        if isinstance(error, errors.RepositoryNotFoundError):
            return UnknownModelError(
                f"{host} has no repository {repository}, or it is private.",
                hint="Check the spelling; for a private one set HF_TOKEN.",
            )
        if isinstance(error, errors.HfHubHTTPError):
            return _explain_status(error.response.status_code, host, repository)
        return SourceUnavailableError(
            f"{host} cannot be reached: {str(error).rstrip('.')}.",
            hint="Check the network and the proxy settings; HF_ENDPOINT names another hub.",
        )


def _explain_status(status: int, host: str, repository: str) -> SourceUnavailableError:
    if status in (401, 403):
        return SourceUnavailableError(
            f"{host} does not let this account read {repository} (HTTP {status}).",
            hint="Set HF_TOKEN to a valid token of an account that may.",
        )
    if status == 429:
        return SourceUnavailableError(
            f"{host} limits the rate of downloads (HTTP 429).",
            hint="Wait a while; a token in HF_TOKEN raises the limit.",
        )
    return SourceUnavailableError(f"{host} answered with HTTP {status}.", hint="Try again later.")


def _compare_with_catalog(ref: CatalogRef | HubRef, remotes: list[_Remote]) -> None:
    """Refuse, before gigabytes are fetched, what will not be the pinned bytes anyway."""
    if not isinstance(ref, CatalogRef):
        return
    for file, remote in zip(ref.model.files, remotes, strict=True):
        if file.sha256 and remote.sha256 and file.sha256 != remote.sha256:
            raise ChecksumError(
                f"{ref.model.repository} now holds another {file.name} than the one Shardlight knows.",
                hint=f"To use it all the same, write hf:{ref.model.repository}/{file.name}.",
            )


def _require_space(repository: str, remotes: list[_Remote]) -> None:
    from huggingface_hub import constants

    needed = sum(remote.size or 0 for remote in remotes if cached_file(repository, remote.name) is None)
    require_space(Path(constants.HF_HUB_CACHE), needed, repository)


def _renamed(monitor: Monitor, name: str) -> Monitor:
    """A monitor that reports under a file's own name instead of its blob's."""
    return Monitor(lambda transfer: monitor.progress(replace(transfer, file=name)), monitor.cancelled)
