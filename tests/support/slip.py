"""A function with a slip, what a scripted model knows instead, and what comes of that: for tests over real editors."""

from __future__ import annotations

SLIP = "def total(items, rate):\n    for item in items:\n        <|>rate += items.price\n    return rate\n"
MENDED = SLIP.replace("<|>", "").replace("items.price", "item.price")
HINT = "Possible bug: `items` here, where `item` would be expected."
# The title of the correction.
FIX = "Fix: `rate += item.price`"
