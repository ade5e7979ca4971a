"""Eglot with the documented configuration."""

from __future__ import annotations

from tests.editors.documented import block
from tests.editors.emacs.conftest import Emacs, Start
from tests.support.adding import BODY, DOCUMENTED, TESTS, WORDS
from tests.support.slip import FIX, HINT, MENDED, SLIP

CONFIG = block("Emacs with Eglot", "elisp")
ADD = "def add(a, b):\n    return <|>a + b\n"


async def started(emacs: Emacs) -> Emacs:
    """The same Emacs, once the server serves its file."""
    await emacs.until("(and (eglot-managed-p) t)")
    return emacs


async def test_a_suggestion_is_completed(start: Start) -> None:
    emacs = await started(await start(BODY, CONFIG, {"infills": ["tal = a + b"]}))
    # A suggestion that takes too long is there when it is asked for again.
    emacs.terminal.keys("to\x1b\t")
    await emacs.terminal.until_shown("    total = a + b", again="\x1b\t")
    await emacs.until_text(BODY.replace("<|>", "total = a + b"))
    assert emacs.place.sent("initialize")[0]["initializationOptions"] == {
        "trusted": True,
        "settings": {"completion": {"debounce_ms": 100}},
    }


async def test_a_suggestion_is_shown_as_a_preview_and_taken(start: Start) -> None:
    config = CONFIG + "(global-completion-preview-mode)"
    emacs = await started(await start(BODY, config, {"infills": ["al = a + b"]}))
    emacs.terminal.keys("tot")
    await emacs.terminal.until_shown("    total = a + b", again="\x7ft")
    await emacs.until_text(BODY.replace("<|>", "tot"))
    emacs.terminal.keys("\t")
    await emacs.until_text(BODY.replace("<|>", "total = a + b"))


async def test_documentation_from_the_list_of_actions(start: Start) -> None:
    emacs = await started(await start(ADD, CONFIG, {"chats": WORDS}))
    await emacs.command("eglot-code-actions", "Write documentation of add")
    await emacs.until_text(DOCUMENTED)


async def test_unit_tests_by_command_go_into_a_new_file(start: Start) -> None:
    emacs = await started(await start(ADD, CONFIG, {"chats": [TESTS]}, folder="size 1"))
    await emacs.command("shardlight", "shardlight.unitTests")
    await emacs.terminal.until_shown("test_calc.py (1 change)", "Proceed? (y or n)")
    emacs.terminal.keys("y")
    await emacs.until('(and (get-buffer "test_calc.py") t)')
    await emacs.until('(with-current-buffer "test_calc.py" (and (string-search "== 3" (buffer-string)) t))')


async def test_a_hint_and_its_correction(start: Start) -> None:
    emacs = await started(await start(SLIP, CONFIG, {"knows": MENDED}, folder="size 1"))
    await emacs.command("shardlight", "shardlight.findBugs")
    await emacs.until("(mapcar #'flymake-diagnostic-text (flymake-diagnostics))", [f"shardlight [bug-hint]: {HINT}"])
    await emacs.command("eglot-code-action-quickfix", FIX)
    await emacs.until_text(MENDED)
    await emacs.until("(length (flymake-diagnostics))", 0)


async def test_an_explanation(start: Start) -> None:
    emacs = await started(await start(ADD, CONFIG, {"chats": [" adds two numbers."]}))
    await emacs.command("shardlight", "shardlight.explain")
    await emacs.terminal.until_shown("*Shardlight*", "adds two numbers.")
