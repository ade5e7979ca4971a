"""What a request is for, and how urgent it is."""

from __future__ import annotations

import enum


class Priority(enum.IntEnum):
    """Urgency; lower goes first."""

    INLINE = 0
    ACTION = 1
    BACKGROUND = 2


class Lane(str, enum.Enum):
    """Which context a job runs in."""

    COMPLETION = "completion"
    ASSISTANT = "assistant"

    @property
    def priority(self) -> Priority:
        """Of the jobs that it is there for; less urgent ones always leave a sequence free for them."""
        return Priority.INLINE if self is Lane.COMPLETION else Priority.ACTION
