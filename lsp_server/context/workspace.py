"""The workspace's files as features see them: by path, open documents first, secrets never."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lsp_server.context.index.extract import MAX_BYTES
from lsp_server.context.index.links import leads_elsewhere, led_to, real_path
from lsp_server.syntax.languages import Language, language_for_path

# Never read, neither into a prompt nor into the index, whatever a user's code refers to.
SECRET_PATTERNS = (
    ".env*",
    "*.env",
    "*.pem",
    "*.key",
    "*.ppk",
    "*.p12",
    "*.pfx",
    "*.pkcs12",
    "*.p7b",
    "*.crt",
    "*.cer",
    "*.der",
    "*.csr",
    "*.jks",
    "*.jceks",
    "*.bks",
    "*.keystore",
    "*.keytab",
    "*.kdbx",
    "*.gpg",
    "*.pgp",
    "*.asc",
    "*.ovpn",
    "*.mobileprovision",
    "*.tfstate",
    "*.tfstate.*",
    "*.tfvars",
    "*.tfvars.json",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    "*secret*",
    "*credential*",
    "*password*",
    "*passwd*",
    "*apikey*",
    "*api_key*",
    "*kubeconfig*",
    "service-account*.json",
    "service_account*.json",
    "serviceaccount*.json",
    "wp-config.php",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pypirc",
    ".htpasswd",
    ".pgpass",
    ".my.cnf",
    ".mylogin.cnf",
    ".dockercfg",
    ".s3cfg",
    ".boto",
    ".vault-token",
    ".terraformrc",
)
# Whatever is in one of these belongs to a program that logs in somewhere.
_SECRET_FOLDERS = {".ssh", ".gnupg", ".aws", ".azure", ".kube", ".gcloud"}
# Code in one of these is about secrets; other files hold them.
_DATA_FOLDERS = {"secret", "secrets", ".secret", ".secrets", "credentials", ".credentials", ".envs", ".docker"}
# Scripts and dumps are full of what programs log in with.
_HARDLY_CODE = {"shellscript", "sql"}


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(fnmatch.translate, patterns)))


_WORDS = _any_of(p for p in SECRET_PATTERNS if p.startswith("*") and p.endswith("*"))
_NAMES = _any_of(p for p in SECRET_PATTERNS if not (p.startswith("*") and p.endswith("*")))


def is_secret(path: Path) -> bool:
    """Whether a file may hold secrets, judged by its name and its folders' names.

    ``secrets.py`` is code about secrets; ``secrets.yaml`` holds them.
    """
    name = path.name.lower()
    folders = {part.lower() for part in path.parts[:-1]}
    if folders & _SECRET_FOLDERS or _NAMES.match(name):
        return True
    return bool(folders & _DATA_FOLDERS or _WORDS.match(name)) and not _is_code(path)


def _is_code(path: Path) -> bool:
    language = language_for_path(path)
    return language is not None and bool(language.queries) and language.id not in _HARDLY_CODE


@dataclass(frozen=True)
class Workspace:
    """Folders on disk, seen through the documents that are open.

    Attributes:
        roots: the workspace's folders, absolute. Empty for a single file without a folder.
        open_text: the text of an open document by path, or None.
        excluded: whether a file is left out of everything.
        open_language: the language that the editor says an open document is in, or None.
    """

    roots: tuple[Path, ...]
    open_text: Callable[[Path], str | None]
    excluded: Callable[[Path], bool] = is_secret
    open_language: Callable[[Path], Language | None] = lambda _path: None

    def root_of(self, path: Path) -> Path:
        """The folder that holds ``path``: the innermost root, else its parent."""
        holding = [root for root in self.roots if path.is_relative_to(root)]
        return max(holding, key=lambda root: len(root.parts), default=path.parent)

    def relative(self, path: Path) -> str:
        """The path relative to its root, with forward slashes: what a prompt may show."""
        return path.relative_to(self.root_of(path)).as_posix()

    def language(self, path: Path) -> Language | None:
        """The language of a file: what the editor says if it is open, else by its name."""
        return self.open_language(path) or language_for_path(path)

    def withholds(self, path: Path) -> bool:
        """Whether nothing of a file may be shown: secret, excluded, or a link to such a file or out of its root."""
        if is_secret(path) or self.excluded(path):
            return True
        if not path.is_absolute() or self._is_its_own_place(path):
            return False
        place = led_to(path, self.root_of(path))
        return place is None or (place != path and (is_secret(place) or self.excluded(place)))

    def _is_its_own_place(self, path: Path) -> bool:
        """Whether a path leads to what it names: it is no link, and goes through none."""
        return real_path(path) == path

    def for_one_search(self) -> Workspace:
        """The same, which finds out once whether it withholds a file; not for longer, since files change."""
        return _Searched(self.roots, self.open_text, self.excluded, self.open_language)

    def read(self, path: Path) -> str | None:
        """The text of a file: as it is open, else from disk. None for what is withheld, missing, huge or not UTF-8."""
        if self.withholds(path):
            return None
        if (text := self.open_text(path)) is not None:
            return text
        try:
            if not path.is_file() or path.stat().st_size > MAX_BYTES:
                return None
            with path.open(encoding="utf-8", newline="") as file:
                return file.read()
        except (OSError, UnicodeDecodeError):
            return None


class _Searched(Workspace):
    @cached_property
    def _known(self) -> dict[Path, bool]:
        return {}

    @cached_property
    def _own_places(self) -> dict[Path, bool]:
        return {}

    def withholds(self, path: Path) -> bool:
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = super().withholds(path)
        return known

    def _is_its_own_place(self, path: Path) -> bool:
        folder = path.parent
        known = self._own_places.get(folder)
        if known is None:
            known = self._own_places[folder] = super()._is_its_own_place(folder)
        return known and path.name != ".." and not leads_elsewhere(path)
