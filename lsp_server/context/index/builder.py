"""The process that builds an index: ``python -m lsp_server.context.index.builder ROOT DATABASE``.

It reads one line from standard input, an `Order` as JSON, brings the index up to date, and ends. It ends at once when
standard input is closed, as it is when whoever started it dies; what was written until then stays, and the next builder
goes on from there. While it works it writes lines of two figures: files done, files to do.

It is as nice as a process can be: whoever types, compiles or waits for a model goes first.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from itertools import chain
from pathlib import Path

import psutil
from filelock import FileLock

from lsp_server.context.index.database import databases_beside, delete
from lsp_server.context.index.exclusions import Exclusions, FoundFile
from lsp_server.context.index.extract import MAX_BYTES, FileFacts, facts, indexed_language, readable
from lsp_server.context.index.order import LEFT_OUT, Order
from lsp_server.context.index.resolve import configures
from lsp_server.context.index.writer import KnownFile, Writer
from lsp_server.syntax.languages import Language
from lsp_server.syntax.snapshot import Snapshot

logger = logging.getLogger(__name__)

# Seconds of work in one transaction: what is found becomes visible that often, and so much is lost when we are stopped.
_TRANSACTION_S = 0.25

Report = Callable[[int, int], None]


class KnownTree:
    """The indexed files of a workspace folder; a `trees.FileTree`."""

    def __init__(self, root: Path, paths: Iterable[str], exclusions: Exclusions) -> None:
        self._root = root
        self._paths = set(paths)
        self._exclusions = exclusions
        self._texts: dict[str, str | None] = {}

    def has(self, path: str) -> bool:
        """See `FileTree`."""
        return path in self._paths

    def named(self, name: str) -> Iterable[str]:
        """See `FileTree`."""
        return self._by_name.get(name, ())

    def inside(self, folder: str) -> Iterable[str]:
        """See `FileTree`."""
        return self._by_folder.get(folder, ())

    def read(self, path: str) -> str | None:
        """See `FileTree`; also of files that are not indexed, such as ``go.mod``."""
        if path not in self._texts:
            self._texts[path] = None
            place = self._root / path
            # ValueError: what a configuration says need not be a path, nor the file UTF-8.
            with contextlib.suppress(OSError, ValueError):
                if not self._exclusions.is_excluded(place) and place.stat().st_size <= MAX_BYTES:
                    self._texts[path] = place.read_text(encoding="utf-8")
        return self._texts[path]

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return _grouped((path.rpartition("/")[2], path) for path in self._paths)

    @cached_property
    def _by_folder(self) -> dict[str, list[str]]:
        return _grouped((path.rpartition("/")[0], path) for path in self._paths)


def build(root: Path, database: Path, order: Order, report: Report = lambda _done, _total: None) -> bool:
    """Bring the index of a workspace folder up to date. Others that want the same wait until we are done.

    Returns:
        Whether all files are in it that are meant to be; False if there are more than it may have.

    Raises:
        OSError, sqlite3.Error: the database cannot be written.
    """
    if not (order.max_files or databases_beside(database)):
        return True
    database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(str(database.with_name("builder.lock"))):
        if order.max_files:
            return _build(root, database, order, report)
        for each in databases_beside(database):
            delete(each)
        return True


def _build(root: Path, database: Path, order: Order, report: Report) -> bool:
    with contextlib.closing(Writer(database)) as writer:
        exclusions = Exclusions(root, order.exclude)
        settled = writer.settled()
        if settled is None:
            # It is new, or a builder was stopped: more is missing than what has changed.
            order = replace(order, paths=None)
        known = writer.files()
        meant = _meant(known, order.paths)
        found, configs, is_all = _found(exclusions, order, len(known) - len(meant))
        configured = configs != settled
        if order.paths is not None:
            configured = any(map(configures, order.paths))
            # Nothing, since only a look at the whole folder finds all of them.
            configs = "" if configured else settled or ""
        gone = [path for path in meant if path not in found]
        changed = [file for file in found.values() if _differs(file, known.get(file.path))]
        report(0, len(changed))
        with writer.transaction():
            writer.unsettle()
            writer.remove(gone)
        _put_all(root, writer, changed, known, report)
        files = known.keys() - set(gone) | found.keys()
        # A file that appears or goes may change what the imports of any other mean.
        everywhere = configured or bool(gone) or any(file.path not in known for file in changed)
        with writer.transaction():
            tree = KnownTree(root, files, exclusions)
            writer.resolve_imports(tree, None if everywhere else [file.path for file in changed])
            writer.settle(configs)
    return is_all


def _found(exclusions: Exclusions, order: Order, others: int) -> tuple[dict[str, FoundFile], str, bool]:
    """The files to be indexed, what stands for those that say what imports mean, and whether these are all files.

    Args:
        others: so many files are indexed that the order says nothing of.
    """
    found: dict[str, FoundFile] = {}
    configs: list[FoundFile] = []
    is_all = True
    for file in chain.from_iterable(map(exclusions.walk, ("",) if order.paths is None else order.paths)):
        if configures(file.path):
            configs.append(file)
        if indexed_language(file.path) is None:
            continue
        if others + len(found) >= order.max_files:
            is_all = False
            break
        found[file.path] = file
    return found, hashlib.blake2b(repr(configs).encode(), digest_size=16).hexdigest(), is_all


def _meant(known: Iterable[str], paths: tuple[str, ...] | None) -> list[str]:
    """The files that are among ``paths`` or below one of them; None is the whole folder."""
    if paths is None:
        return list(known)
    files, folders = frozenset(paths), tuple(f"{path}/" for path in paths)
    return [path for path in known if path in files or path.startswith(folders)]


def _differs(file: FoundFile, known: KnownFile | None) -> bool:
    return known is None or (file.mtime_ns, file.size) != (known.mtime_ns, known.size)


def _put_all(root: Path, writer: Writer, changed: list[FoundFile], known: dict[str, KnownFile], report: Report) -> None:
    waiting = iter(changed)
    done = 0
    while done < len(changed):
        with writer.transaction():
            until = time.monotonic() + _TRANSACTION_S
            for file in waiting:
                _put(root, writer, file, known.get(file.path))
                done += 1
                if time.monotonic() > until:
                    break
        report(done, len(changed))


def _put(root: Path, writer: Writer, file: FoundFile, known: KnownFile | None) -> None:
    try:
        data = (root / file.path).read_bytes() if file.size <= MAX_BYTES else b"\0"
    except OSError:
        # Gone meanwhile, or not ours to read; if it comes back we shall hear of it.
        writer.remove([file.path])
        return
    digest = hashlib.blake2b(data, digest_size=16).digest()
    if known and known.hash == digest:
        writer.touch(file)
        return
    text, language = readable(data), indexed_language(file.path)
    if text is None or language is None:
        writer.put(file, digest, "", FileFacts())
    else:
        writer.put(file, digest, language.id, _facts(file.path, text, language))


def _facts(path: str, text: str, language: Language) -> FileFacts:
    try:
        return facts(Snapshot.open(text, language.id))
    except Exception as error:
        # No single file may be the end of the index.
        logger.warning("%s is not indexed: %r", path, error)
        return FileFacts()


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for key, path in pairs:
        groups.setdefault(key, []).append(path)
    return groups


def _be_nice() -> None:
    process = psutil.Process()
    with contextlib.suppress(psutil.Error, OSError):
        if sys.platform == "win32":
            process.nice(psutil.IDLE_PRIORITY_CLASS)
        else:
            process.nice(19)
        if sys.platform == "linux":
            process.ionice(psutil.IOPRIO_CLASS_IDLE)


def _end_with_input() -> None:
    sys.stdin.read()
    # SQLite forgets the transaction that was begun, and the lock goes with the process.
    os._exit(0)


def _report(done: int, total: int) -> None:
    sys.stdout.write(f"{done} {total}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Do what the first line of standard input says, and return the exit status.

    That is 1 if the index cannot be written, with the reason on stderr, and `LEFT_OUT` if it has not all files.
    """
    _be_nice()
    root, database = map(Path, arguments)
    order = Order.from_json(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        is_all = build(root, database, order, _report)
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0 if is_all else LEFT_OUT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
