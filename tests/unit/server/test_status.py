from __future__ import annotations

from typing import Any

from lsp_server.server.status import METHOD, Status, StatusLine


def line() -> tuple[StatusLine, list[dict[str, Any]]]:
    """A line, and what it has sent."""
    sent: list[dict[str, Any]] = []

    def send(method: str, said: dict[str, Any]) -> None:
        assert method == METHOD
        sent.append(said)

    return StatusLine(send), sent


def test_each_state_is_told_once_and_only_who_asked_is() -> None:
    status, sent = line()
    status.show(Status("loading", "small", 10))
    assert sent == []
    status.start()
    status.show(Status("loading", "small", 10))
    status.show(Status("loading", "small", 20))
    status.show(Status("ready", "small"))
    status.answered(31.27)
    status.answered(0.0)
    assert [(one["state"], one["percent"], one["tokensPerSecond"]) for one in sent] == [
        ("loading", 10, None),
        ("loading", 20, None),
        ("ready", None, None),
        ("ready", None, 31.3),
    ]


def test_work_is_told_while_the_model_is_there() -> None:
    status, sent = line()
    status.start()
    with status.busy("Explain f"):
        status.show(Status("ready", "small"))
        with status.busy("Explain g"):
            pass
        status.show(Status("failed", "small", message="It is gone."))
    assert [(one["state"], one["message"]) for one in sent] == [
        ("idle", ""),
        ("busy", "Explain f"),
        ("busy", "Explain g"),
        ("busy", "Explain f"),
        ("failed", "It is gone."),
    ]
