"""Messages → a prompt, through the model's own chat template."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from lsp_server.engine.native.model import common_prefix
from lsp_server.engine.template_process import most_chars
from lsp_server.engine.templates import RenderedElsewhere
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
    """Lays out messages with a model's template, which comes with a download; see ``templates``."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def prompt(self, messages: Sequence[Message]) -> ChatPrompt:
        """A conversation, ready for the assistant's next words.

        A last message of the assistant is continued, not closed. Text in messages that spells a control token
        stays text.

        Raises:
            InvalidRequestError: the template refuses the messages, or takes more than it may.
            EngineError: it cannot be rendered at all.
        """
        if not messages:
            raise InvalidRequestError(_NO_MESSAGES)
        parts = self._rendered(messages)
        tokens = self._tokens(parts)
        instructions = list(itertools.takewhile(lambda message: message.role == "system", messages))
        shared = 0
        if 0 < len(instructions) < len(messages):
            shared = common_prefix(tokens, self._tokens(self._rendered([*instructions, _ANYTHING])))
        opened = messages[-1].role == "assistant" and bool(messages[-1].content)
        *_, (made, _), _ = parts
        return ChatPrompt(tokens, shared, thinks=not opened, begun=made.rstrip().endswith("<think>"))

    def text(self, messages: Sequence[Message]) -> str:
        """The same as a text, in which what spells a control token cannot be told from one.

        Raises:
            InvalidRequestError, EngineError: as ``prompt``.
        """
        if not messages:
            raise InvalidRequestError(_NO_MESSAGES)
        return "".join(text for text, _ in self._rendered(messages))

    def _rendered(self, messages: Sequence[Message]) -> list[tuple[str, bool]]:
        """(text, whether it is the template's), one after the other: the last is what is to be continued."""
        opening = messages[-1].content if messages[-1].role == "assistant" else ""
        told = messages[:-1] if opening else messages
        kept: list[str] = []
        payload = [{"role": m.role, "content": self._protect(m.content, kept)} for m in told]
        text = self._template.render(
            {
                "messages": payload,
                "add_generation_prompt": True,
                "bos_token": self._vocabulary.bos_text,
                "eos_token": self._vocabulary.eos_text,
                "enable_thinking": False,
                "thinking": False,
            }
        )
        spellings = {str(number): spelling for number, spelling in enumerate(kept)}
        # Odd parts are the numbers of protected spellings; the template may have made up others.
        parts = [spellings.get(part, "") if i % 2 else part for i, part in enumerate(_MARK.split(text))]
        # A mark is short, and what it stands for may be long.
        if sum(map(len, parts)) > len(text) + most_chars(sum(len(m.content) for m in told)):
            raise InvalidRequestError("The model's chat template repeats control tokens without end.")
        return [*((part, i % 2 == 0) for i, part in enumerate(parts)), (opening, False)]

    def _tokens(self, parts: Sequence[tuple[str, bool]]) -> list[int]:
        return [token for text, special in parts for token in self._tokenize(text, special=special)]

    def close(self) -> None:
        """End what renders the template."""
        self._template.close()

    @cached_property
    def _template(self) -> RenderedElsewhere:
        return RenderedElsewhere(self._vocabulary.chat_template or CHATML)

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
_NO_MESSAGES = "messages: at least one is needed."
_MARK = re.compile("\ue000(\\d+)\ue001")
