from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lsp_server.context.candidates import Sources
from lsp_server.context.items import ContextItem
from lsp_server.context.keeper import ContextKeeper
from lsp_server.context.ring import RecentChunks
from lsp_server.context.spot import Spot
from lsp_server.text.edits import TextEdit

Files = Callable[[dict[str, str]], None]
MakeSpot = Callable[[str, str], Spot]

TAX = "def tax_of(price): ...\n\ndef extra_of(price): ...\n"
MAIN = "from tax import tax_of\n\n\ndef first():\n    return tax_of(|)\n\n\ndef second():\n    return 2\n"


class Session:
    """A keeper, and the document that somebody types in."""

    def __init__(self, place: Spot, sources: Sources) -> None:
        self.keeper = ContextKeeper(sources.symbols, RecentChunks())
        self.place = place
        self._workspace = sources.workspace

    def context(self, **options: Any) -> tuple[ContextItem, ...]:
        return self.keeper.context(self.place, self._workspace, budget_tokens=600, **options)

    def exclude(self, path: Path) -> None:
        self._workspace = replace(self._workspace, excluded=lambda other: other == path)

    def type(self, text: str) -> None:
        at = self.place.offset
        snapshot = self.place.snapshot.edited([TextEdit(at, at, text)], self.place.snapshot.version + 1)
        self.place = Spot(snapshot, at + len(text), self.place.path)

    def go_to(self, text: str) -> None:
        self.place = Spot(self.place.snapshot, self.place.snapshot.text.index(text), self.place.path)


@pytest.fixture
def session(files: Files, spot: MakeSpot, sources: Sources) -> Session:
    files({"tax.py": TAX})
    return Session(spot("main.py", MAIN), sources)


def test_typing_at_a_spot_changes_nothing(session: Session, files: Files) -> None:
    made = session.context()
    assert [item.snippet.path for item in made] == ["tax.py"]
    files({"tax.py": "def tax_of(price, rate): ...\n"})
    for letter in "1 + extra_of(2)":
        session.type(letter)
        assert session.context() is made


def test_moving_up_and_down_a_little_changes_nothing(session: Session) -> None:
    made = session.context()
    session.go_to("first")
    assert session.context() is made


def test_another_function_is_another_spot(session: Session) -> None:
    made = session.context()
    session.go_to("2\n")
    again = session.context()
    assert again is not made
    assert again[0].snippet == made[0].snippet


def test_far_away_is_another_spot(spot: MakeSpot, sources: Sources) -> None:
    session = Session(spot("main.py", "x = |1\n" + "\n" * 9 + "y = 2\n" + "z = 3\n"), sources)
    sources.recent.viewed(Path("/w/a.py"), "one two three four")
    session.keeper.recent.viewed(Path("/w/a.py"), "alpha = beta(gamma)\n")
    made = session.context()
    session.go_to("y = 2")
    assert session.context() is made
    session.go_to("z = 3")
    assert session.context() is not made


def test_a_name_that_is_being_typed_does_not_make_a_new_spot(spot: MakeSpot, sources: Sources) -> None:
    session = Session(spot("main.py", "def n|():\n    return 1\n"), sources)
    session.keeper.recent.viewed(Path("/w/a.py"), "alpha = beta(gamma)\n")
    made = session.context()
    assert made
    for letter in "ame":
        session.type(letter)
        assert session.context() is made


def test_refresh_makes_it_anew(session: Session, files: Files) -> None:
    made = session.context()
    files({"tax.py": "def tax_of(price, rate): ...\n"})
    again = session.context(refresh=True)
    assert "rate" in again[0].snippet.text
    assert "rate" not in made[0].snippet.text
    assert session.context() is again


def test_what_is_excluded_is_shown_no_longer(session: Session, root: Path) -> None:
    assert session.context()
    session.exclude(root / "tax.py")
    assert session.context() == ()


def test_another_mode_is_another_context(session: Session, sources: Sources) -> None:
    made = session.context()
    keeper, place = session.keeper, session.place
    assert keeper.context(place, sources.workspace, budget_tokens=600, mode="off") == ()
    assert keeper.context(place, sources.workspace, budget_tokens=600, mode="recent") == ()
    assert session.context() == made


def test_coming_back_to_a_document(session: Session, spot: MakeSpot, sources: Sources) -> None:
    made, place = session.context(), session.place
    session.place = spot("other.py", "from tax import extra_of\nx = extra_of(|)\n")
    session.context()
    session.place = place
    assert session.context() is made


def test_each_cell_of_a_notebook_has_its_own(session: Session) -> None:
    made = session.context(document="cell-1")
    session.go_to("2\n")
    assert session.context(document="cell-2") is not made
    session.go_to("first")
    assert session.context(document="cell-1") is made


def test_of_several_documents_the_last_ones_are_remembered(session: Session, spot: MakeSpot) -> None:
    made, place = session.context(), session.place
    for n in range(8):
        session.place = spot(f"other{n}.py", "x = |\n")
        session.context()
    session.place = place
    assert session.context() is not made


def test_requests_at_once_get_one_context(session: Session) -> None:
    found: list[tuple[ContextItem, ...]] = []
    threads = [threading.Thread(target=lambda: found.append(session.context())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(items) for items in found}) == 1
