"""lsp-mode with the documented configuration."""

from __future__ import annotations

from tests.editors.documented import block
from tests.editors.emacs.conftest import Emacs, Start
from tests.support.adding import BODY, DOCUMENTED, WORDS
from tests.support.slip import FIX, HINT, MENDED, SLIP

# What Emacs does at its start for installed packages. Afterwards: a project's root is not to be asked for, and the
# set-ups of all other servers are not loaded.
_PACKAGES = """
(dolist (folder load-path)
  (dolist (file (file-expand-wildcards (concat folder "/*-autoloads.el")))
    (load file nil t)))
"""
CONFIG = _PACKAGES + block("Emacs with lsp-mode", "elisp") + "(setq lsp-auto-guess-root t lsp-client-packages nil)"


async def started(emacs: Emacs) -> Emacs:
    """The same Emacs, once the server serves its file."""
    await emacs.until("(and (lsp-workspaces) (eq (lsp--workspace-status (car (lsp-workspaces))) 'initialized))")
    return emacs


async def test_ghost_text_is_shown_and_taken(start: Start) -> None:
    emacs = await started(await start(BODY, CONFIG, {"infills": ["tal = a + b", ""]}))
    emacs.terminal.keys("to")
    await emacs.terminal.until_shown("    total = a + b")
    await emacs.until_text(BODY.replace("<|>", "to"))
    # A terminal has no key like the one for this.
    await emacs.lisp("(progn (lsp-inline-completion-accept) t)")
    await emacs.until_text(BODY.replace("<|>", "total = a + b"))
    assert emacs.place.sent("initialize")[0]["initializationOptions"] == {
        "trusted": True,
        "settings": {"completion": {"debounce_ms": 100}},
    }


async def test_documentation_from_the_list_of_actions(start: Start) -> None:
    add = "def add(a, b):\n    return <|>a + b\n"
    emacs = await started(await start(add, CONFIG, {"chats": WORDS}))
    await emacs.command("lsp-execute-code-action", "Write documentation of add")
    await emacs.until_text(DOCUMENTED)


async def test_a_hint_by_an_action_and_its_correction(start: Start) -> None:
    emacs = await started(await start(SLIP, CONFIG, {"knows": MENDED}))
    await emacs.command("lsp-execute-code-action", "Find bugs in total")
    await emacs.until(f'(and (string-search "{HINT}" (format "%s" (lsp-diagnostics))) t)')
    await emacs.command("lsp-execute-code-action", FIX)
    await emacs.until_text(MENDED)
