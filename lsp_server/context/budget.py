"""How much of other places a prompt may hold, in tokens: what can be read before anybody minds the wait."""

from __future__ import annotations

# Characters of code in a token, as in `window`: 3.2 to 3.9 with the tokenizers of Qwen2.5-Coder and DeepSeek. The
# engine counts exactly; an estimate that is a little high only leaves some room.
CHARS_PER_TOKEN = 3.5

# A new spot is read once, and the wait for it is the longest that there is: beyond two seconds people type on.
_READING_S = 2.0
# Less than this holds no more than two or three signatures; a model that is too slow even for it is too slow anyway.
_LEAST_TOKENS = 256
# The window (about 1,700 tokens) and the answer need the rest, and beyond 4,096 tokens it is hardly ever the right
# code that is added.
_SHARE_OF_CONTEXT = 4
_MOST_TOKENS = 4096
# What two CPU cores read in about three seconds with a model of 0.5B parameters: a first suggestion is never far off.
_UNMEASURED_TOKENS = 600


def budget_tokens(prefill_tokens_per_s: float | None, n_ctx: int) -> int:
    """The tokens that a prompt may spend on context besides its window.

    Args:
        prefill_tokens_per_s: how fast the model was seen to read; None if nobody has seen it yet.
        n_ctx: the context length in tokens.
    """
    most = min(n_ctx // _SHARE_OF_CONTEXT, _MOST_TOKENS)
    if prefill_tokens_per_s is None:
        return min(_UNMEASURED_TOKENS, most)
    return min(max(int(prefill_tokens_per_s * _READING_S), _LEAST_TOKENS), most)


def estimated_tokens(text: str) -> int:
    """About how many tokens a text is."""
    return int(len(text) / CHARS_PER_TOKEN) + 1
