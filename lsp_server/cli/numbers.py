"""Whole numbers among a command's arguments."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

from lsp_server.settings.schema import LARGEST


def whole(what: str, least: int, most: int = LARGEST) -> Callable[[str], int]:
    """What reads an argument that is a whole number within bounds (inclusive), for ``add_argument(type=…)``.

    Args:
        what: what it is a number of, for the message about another one: "number of days".
    """
    bounds = f"from {least} on" if most == LARGEST else f"from {least} to {most}"

    def read(text: str) -> int:
        number = int(text) if re.fullmatch(r"-?[0-9]{1,10}", text) else None
        if number is None or not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no {what} {bounds}")
        return number

    return read
