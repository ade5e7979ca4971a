"""The prompt files in ``prompts/``: one folder a task, one file a language.

They are looked for in the wheel's own copy (``lsp_server/_prompts``, see pyproject.toml), else in the checkout. A
user's own, and those of a workspace that is trusted, go before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from platformdirs import user_config_path

from lsp_server.errors import PromptError
from lsp_server.inference.backend import Message

_PACKAGE = Path(__file__).resolve().parents[1]
_SECTION = re.compile(r"^\[(system|user|assistant)\]\n", re.MULTILINE)


def shipped_directory() -> Path:
    """Folder of the prompts that come with Shardlight."""
    in_wheel = _PACKAGE / "_prompts"
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / "prompts"


def prompts_of(trusted_roots: Iterable[Path] = ()) -> PromptCatalog:
    """The prompts that count: of workspace folders that are trusted (``.shardlight/prompts``), the user's, ours."""
    users = user_config_path("shardlight", appauthor=False) / "prompts"
    return PromptCatalog(shipped_directory(), (*(root / ".shardlight" / "prompts" for root in trusted_roots), users))


@dataclass(frozen=True)
class PromptCatalog:
    """Renders the prompts of a folder.

    Attributes:
        instead: folders whose prompts go before those of ``directory``, the first of them before the others.
    """

    directory: Path
    instead: tuple[Path, ...] = ()

    def render(self, task: str, language_id: str, **variables: object) -> tuple[Message, ...]:
        """The messages of a task.

        Args:
            language_id: picks ``<task>/<language_id>.md`` where there is one, else ``<task>/default.md``.
            variables: see ``prompts/README.md``.

        Raises:
            PromptError: there is no such prompt, its form is wrong, or it names a variable it is not given.
        """
        folders = (folder / task for folder in (*self.instead, self.directory))
        places = (folder / f"{name}.md" for folder in folders for name in (language_id, "default"))
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise PromptError(f"There is no prompt for {task} in {self.directory}.")
        try:
            return tuple(
                Message(role, _environment().from_string(text).render(variables).strip("\n"))
                for role, text in _sections(path)
            )
        except TemplateError as error:
            raise PromptError(f"The prompt {path} cannot be rendered: {error}.") from error


def _sections(path: Path) -> list[tuple[str, str]]:
    """(role, template) pairs. The file is cut before it is rendered, so that code cannot begin a section."""
    try:
        head, *parts = _SECTION.split(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"The prompt {path} cannot be read: {error}.") from error
    if head.strip() or not parts:
        raise PromptError(f"The prompt {path} must begin with a line [system] or [user].")
    return list(zip(parts[::2], parts[1::2], strict=True))


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True)
