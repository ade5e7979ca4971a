"""Small holes in code, with tests: a quick look at how often a model completes rightly on this machine."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from importlib import resources

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_OPEN, _CLOSE = "⟪", "⟫"


@dataclass(frozen=True, slots=True)
class SmallHole:
    """Code with a part taken out.

    Attributes:
        before, truth, after: the code; ``truth`` is what was taken out.
        test: code that comes to its end if what stands there instead will do.
    """

    name: str
    before: str
    truth: str
    after: str
    test: str

    @property
    def text(self) -> str:
        """The code with nothing in the hole."""
        return self.before + self.after

    def program(self, fill: str, replaces: int = 0) -> str:
        """The code with a fill, which takes the place of so many characters behind it, and its test."""
        return f"{self.before}{fill}{self.after[replaces:]}\n\n{self.test}"


@cache
def small_holes() -> tuple[SmallHole, ...]:
    """All holes that come with Shardlight."""
    text = resources.files("lsp_server.testing").joinpath("small_holes.toml").read_text(encoding="utf-8")
    return tuple(_hole(**entry) for entry in tomllib.loads(text)["hole"])


def _hole(name: str, code: str, test: str) -> SmallHole:
    before, _, rest = code.partition(_OPEN)
    truth, _, after = rest.partition(_CLOSE)
    return SmallHole(name, before, truth, after, test)
