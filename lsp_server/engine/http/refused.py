"""Fields that other servers know and this one does not: refused by name, since to ignore them would mislead."""

from __future__ import annotations

import json
from collections.abc import Mapping

from lsp_server.engine.http.fields import Body
from lsp_server.errors import InvalidRequestError

REFUSED: Mapping[str, tuple[object, ...]] = {
    # One answer to a request.
    "n": (1,),
    "n_cmpl": (1,),
    "best_of": (1,),
    # Nothing but text, and nothing that a model could call.
    "tools": (),
    "tool_choice": ("none", "auto"),
    "functions": (),
    "function_call": ("none", "auto"),
    "audio": (),
    "modalities": (["text"],),
    "web_search_options": (),
    # Models are not told to think, and are given no other adapters.
    "reasoning_effort": ("none",),
    "reasoning_format": ("auto", "deepseek"),
    "chat_template_kwargs": ({"enable_thinking": False},),
    "verbosity": ("medium",),
    "lora": (),
    # A grammar can say it.
    "json_schema": (),
    # Parts of an answer that ours has not.
    "store": (False,),
    "return_tokens": (False,),
    "return_progress": (False,),
    "post_sampling_probs": (False,),
    "grammar_lazy": (False,),
}
"""Each with the values that ask for nothing; so do null and what is empty."""


def check(body: Body) -> None:
    """Look for what would not be done.

    Raises:
        InvalidRequestError: a field asks for it; the field is named.
    """
    for name, harmless in REFUSED.items():
        value = body.get(name)
        if value is None or value in ([], {}, ""):
            continue
        # True is not 1 here.
        if not any(value == one and type(value) is type(one) for one in harmless):
            else_ = f" other than {' or '.join(json.dumps(one) for one in harmless)}" if harmless else ""
            raise InvalidRequestError(f"{name}{else_} is not supported.", hint="Leave it out.")
