"""Messages → a prompt, through the model's own chat template."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import cached_property
from typing import Any, Protocol

from jinja2 import Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lsp_server.engine.native.model import common_prefix
from lsp_server.errors import InvalidRequestError

# The template of a model that brings none: the form that most open chat models were trained on.
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: role ``system``, ``user`` or ``assistant``, and its text."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """A conversation as token ids.

    Attributes:
        shared: length of the leading part that other conversations with the same instructions begin with as well.
        thinks: the answer may begin with a thought; ``begun``: the prompt has opened it already.
    """

    tokens: list[int]
    shared: int
    thinks: bool
    begun: bool

    def behind(self, head: list[int]) -> ChatPrompt:
        """The same prompt with tokens in front that every prompt begins with."""
        return replace(self, tokens=[*head, *self.tokens], shared=self.shared and self.shared + len(head))


class Vocabulary(Protocol):
    """The part of a model that a chat prompt needs; see ``native.model.NativeModel``."""

    @property
    def chat_template(self) -> str | None: ...
    @property
    def special_texts(self) -> tuple[str, ...]: ...
    @property
    def bos_text(self) -> str: ...
    @property
    def eos_text(self) -> str: ...
    def tokenize(self, text: str, *, parse_special: bool = False) -> list[int]: ...


class ChatTemplate:
    """Renders messages with a model's template, sandboxed: a template comes with a download."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=_EXTENSIONS)
        environment.globals["raise_exception"] = _raise
        environment.globals["strftime_now"] = lambda pattern: datetime.now(timezone.utc).strftime(pattern)
        self._environment = environment

    def prompt(self, messages: Sequence[Message]) -> ChatPrompt:
        """A conversation, ready for the assistant's next words.

        A last message of the assistant is continued, not closed. Text in messages that spells a control token
        stays text.

        Raises:
            InvalidRequestError: the template refuses the messages.
        """
        if not messages:
            raise InvalidRequestError("messages: at least one is needed.")
        tokens, text = self._rendered(messages)
        instructions = list(itertools.takewhile(lambda message: message.role == "system", messages))
        shared = 0
        if 0 < len(instructions) < len(messages):
            shared = common_prefix(tokens, self._rendered([*instructions, _ANYTHING])[0])
        opened = messages[-1].role == "assistant" and bool(messages[-1].content)
        return ChatPrompt(tokens, shared, thinks=not opened, begun=text.rstrip().endswith("<think>"))

    def _rendered(self, messages: Sequence[Message]) -> tuple[list[int], str]:
        """(token ids, the text that the template made)."""
        opening = messages[-1].content if messages[-1].role == "assistant" else ""
        told = messages[:-1] if opening else messages
        kept: list[str] = []
        payload = [{"role": m.role, "content": self._protect(m.content, kept)} for m in told]
        try:
            text = self._template.render(
                messages=payload,
                add_generation_prompt=True,
                bos_token=self._vocabulary.bos_text,
                eos_token=self._vocabulary.eos_text,
                enable_thinking=False,
                thinking=False,
            )
        except Exception as error:
            # A template is a program of somebody else's, and may fail like any program.
            raise InvalidRequestError(f"The model's chat template refuses these messages: {error}") from error
        tokens: list[int] = []
        for i, part in enumerate(_MARK.split(text)):
            # Odd parts are the numbers of protected spellings.
            tokens += self._tokenize(kept[int(part)], special=False) if i % 2 else self._tokenize(part, special=True)
        return tokens + self._tokenize(opening, special=False), text

    @cached_property
    def _template(self) -> Template:
        # Compiled at its first use: a model whose template is broken still fills holes.
        return self._environment.from_string(self._vocabulary.chat_template or CHATML)

    def _tokenize(self, text: str, *, special: bool) -> list[int]:
        return self._vocabulary.tokenize(text, parse_special=special) if text else []

    def _protect(self, content: str, kept: list[str]) -> str:
        """Replace spellings of control tokens (and our own marks) by marks, and remember them in ``kept``."""

        def remember(match: re.Match[str]) -> str:
            kept.append(match.group())
            return f"\ue000{len(kept) - 1}\ue001"

        return self._dangerous.sub(remember, content)

    @cached_property
    def _dangerous(self) -> re.Pattern[str]:
        spellings = [re.escape(text) for text in self._vocabulary.special_texts]
        return re.compile("|".join([*spellings, "[\ue000\ue001]"]))


# Its own tokens do not matter: what comes before it is what is looked for.
_ANYTHING = Message("user", "-")
_MARK = re.compile("\ue000(\\d+)\ue001")
_EXTENSIONS = ["jinja2.ext.loopcontrols"]


def _raise(message: str) -> Any:
    raise TemplateError(message)
