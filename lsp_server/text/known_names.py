"""What is known of the names that may stand behind a dot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownNames:
    """All names that may stand behind ``of.``.

    Attributes:
        of: a name: of a variable, a module, a class, or what calls the object itself.
        may_be_new: where a line begins with it, another name may stand there as well: what is given to it.
    """

    of: str
    names: tuple[str, ...]
    may_be_new: bool = False
