"""Helix with the documented configuration."""

from __future__ import annotations

from tests.editors.helix.conftest import Start
from tests.support.adding import BODY, DOCUMENTED, WORDS
from tests.support.slip import FIX, HINT, MENDED, SLIP


async def test_a_suggestion_is_in_the_menu_and_taken(start: Start) -> None:
    helix = await start(BODY, {"infills": ["tal = a + b", ""]})
    # A suggestion that takes too long is there when it is asked for again.
    helix.terminal.keys("Ato")
    await helix.terminal.until_shown("total = a + b", again="\x18")
    helix.terminal.keys("\t")
    await helix.terminal.until_shown("    total = a + b", "Shardlight")
    helix.terminal.keys("\r")
    await helix.until_saved(BODY.replace("<|>", "total = a + b"))
    assert helix.place.sent("initialize")[0]["initializationOptions"] == {
        "trusted": True,
        "settings": {"completion": {"debounce_ms": 100}},
    }


async def test_documentation_from_the_menu(start: Start) -> None:
    helix = await start("def add(a, b):\n    return <|>a + b\n", {"chats": WORDS})
    await helix.choose_action("Write documentation of add")
    await helix.terminal.until_shown('"""Add two numbers.')
    await helix.until_saved(DOCUMENTED)


async def test_a_hint_and_its_correction(start: Start) -> None:
    helix = await start(SLIP, {"knows": MENDED})
    await helix.choose_action("Find bugs in total")
    await helix.terminal.until_shown(HINT)
    await helix.choose_action(FIX)
    await helix.terminal.until_not_shown("Possible bug")
    await helix.until_saved(MENDED)
