"""Actions in VS Code: from the light bulb, the palette, the context menu and lenses; hints, previews, explanations."""

from __future__ import annotations

import pytest

from tests.editors.vscode.workbench import Workbench
from tests.support.adding import ADD, DOCUMENTED, TESTS, WORDS
from tests.support.slip import FIX, MENDED, SLIP

pytestmark = pytest.mark.asyncio(loop_scope="session")

BETTER = "def add(a, b):\n    return sum((a, b))\n"
SUM = "Shardlight: Change the selected code, or the function at the cursor, as you say"


async def changed(workbench: Workbench, name: str) -> None:
    """A change was asked for, and its preview is shown."""
    await workbench.serve({"chats": [BETTER]})
    await workbench.open(name, ADD)
    await workbench.go_to(2, 5)
    await workbench.command(SUM)
    await workbench.answer("use sum")
    await workbench.preview()
    await workbench.lines(contains="return sum((a, b))")
    await workbench.message("use sum. Apply this change?")


async def test_documentation_from_the_light_bulb(workbench: Workbench) -> None:
    await workbench.serve({"chats": WORDS})
    path = await workbench.open("bulb.py", ADD)
    await workbench.go_to(2, 5)
    await workbench.list_actions()
    await workbench.picture("code-actions")
    await workbench.page.press("Escape")
    await workbench.act("Write documentation of add")
    await workbench.lines(contains="Add two numbers.")
    await workbench.save(path, DOCUMENTED.encode())


async def test_documentation_from_the_context_menu_keeps_the_rest(workbench: Workbench) -> None:
    before = "x = '😀'\t# größe\r\n" + ADD.replace("\n", "\r\n") + "\tlast = '名前'"
    await workbench.serve({"chats": WORDS})
    path = await workbench.open("context.py", before)
    await workbench.go_to(3, 5)
    await workbench.page.press("Shift+F10")
    await workbench.click_on(".monaco-menu .action-label", "Shardlight")
    await workbench.elements(".monaco-submenu .action-label", 9)
    await workbench.picture("context-menu")
    await workbench.take("Write documentation of the function")
    await workbench.lines(contains="Add two numbers.")
    await workbench.save(path, before.replace(ADD.replace("\n", "\r\n"), DOCUMENTED.replace("\n", "\r\n")).encode())


async def test_tests_from_the_palette_go_into_a_new_file(workbench: Workbench) -> None:
    await workbench.serve({"chats": [TESTS, ""]})
    await workbench.open("calc.py", ADD)
    await workbench.go_to(2, 5)
    await workbench.command("Shardlight: Write unit tests for the function at the cursor")
    await workbench.in_view("test_calc.py")
    await workbench.message("2 written, 1 passes, 1 dropped (1 failed)")
    await workbench.picture("unit-tests")
    expected = "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
    await workbench.save(workbench.folder / "test_calc.py", expected.encode())
    await workbench.clear()


async def test_a_bug_is_marked_and_mended(workbench: Workbench) -> None:
    await workbench.serve({"knows": MENDED})
    path = await workbench.open("bug.py", "# 😀\n" + SLIP.replace("<|>", ""))
    await workbench.go_to(4, 18)
    await workbench.command("Shardlight: Find bugs in the function at the cursor")
    await workbench.page.until("!!document.querySelector('.squiggly-warning')")
    await workbench.list_actions()
    await workbench.picture("bug-hint")
    await workbench.click_on(".action-widget .monaco-list-row", FIX)
    await workbench.lines(contains="rate += item.price")
    await workbench.save(path, f"# 😀\n{MENDED}".encode())
    await workbench.page.until("!document.querySelector('.squiggly-warning')")


async def test_a_change_is_shown_and_applied(workbench: Workbench) -> None:
    await changed(workbench, "change.py")
    await workbench.picture("preview")
    await workbench.click_on(".notification-toast .monaco-button", "Apply")
    await workbench.no_preview()
    await workbench.changed("change.py")
    await workbench.save(workbench.folder / "change.py", BETTER.encode())


async def test_a_change_keeps_the_rest_of_a_file_as_it_is(workbench: Workbench) -> None:
    add, better = ADD.replace("\n", "\r\n"), BETTER.replace("\n", "\r\n")
    before = f"x = '😀'\t# größe\r\n{add}\r\n\r\nlast = {{\r\n\t'a': '名前'}}"
    await workbench.serve({"chats": [BETTER]})
    path = await workbench.open("rest.py", before)
    await workbench.go_to(3, 5)
    await workbench.command(SUM)
    await workbench.answer("use sum")
    await workbench.preview()
    await workbench.lines(contains="return sum((a, b))")
    await workbench.page.press("Control+Enter")
    await workbench.no_preview()
    await workbench.changed("rest.py")
    await workbench.save(path, before.replace(add, better).encode())
    await workbench.clear()


async def test_a_long_message_is_shown_whole(workbench: Workbench) -> None:
    await workbench.serve({"chats": [TESTS, ""]})
    await workbench.open("whole_message.py", ADD)
    await workbench.go_to(2, 5)
    await workbench.command("Shardlight: Write unit tests for the function at the cursor")
    await workbench.in_view("test_whole_message.py")
    await workbench.elements(".notification-toast .notification-list-item.expanded", 1)
    await workbench.click_on(".notification-toast .monaco-button", "Close")
    await workbench.page.until("!document.querySelector('.notification-toast')")
    await workbench.save(workbench.folder / "test_whole_message.py")


async def test_the_status_is_shown(workbench: Workbench) -> None:
    await workbench.serve({})
    await workbench.open("status.py", ADD)
    await workbench.command("Shardlight: Show status")
    shown = await workbench.panel(contains="This workspace is trusted")
    assert "scripted" in shown
    await workbench.picture("status")
    await workbench.command("View: Close Editors in Other Groups")


async def test_a_change_is_applied_by_key(workbench: Workbench) -> None:
    await changed(workbench, "key.py")
    await workbench.page.press("Control+Enter")
    await workbench.no_preview()
    await workbench.changed("key.py")
    await workbench.save(workbench.folder / "key.py", BETTER.encode())
    await workbench.page.until("!document.querySelector('.notification-toast')")


async def test_a_change_is_discarded(workbench: Workbench) -> None:
    await changed(workbench, "discard.py")
    await workbench.click_on(".editor-group-container.active .editor-actions .action-label", "Discard")
    await workbench.no_preview()
    await workbench.in_view("discard.py")
    await workbench.lines(contains="return a + b")
    await workbench.page.until("!document.querySelector('.notification-toast')")
    await workbench.page.until("!document.querySelector('.tab.dirty')")


async def test_a_tab_that_is_closed_discards_the_change(workbench: Workbench) -> None:
    await changed(workbench, "closed.py")
    await workbench.page.press("Control+W")
    await workbench.no_preview()
    await workbench.in_view("closed.py")
    # The server is no longer waiting for an answer.
    assert (await workbench.ask("test/state"))["goingOn"] == 0
    await workbench.page.until("!document.querySelector('.notification-toast')")


async def test_what_would_delete_is_shown_first(workbench: Workbench) -> None:
    await workbench.serve({"chats": ["DELETE FROM users"]})
    path = await workbench.open("delete.sql", "-- all users\n")
    await workbench.go_to(1, 5)
    await workbench.act("Write the query for “all users”")
    await workbench.preview()
    await workbench.lines(contains="DELETE FROM users;")
    await workbench.message("deletes every row of users")
    await workbench.picture("preview-sql")
    await workbench.page.press("Control+Enter")
    await workbench.changed("delete.sql")
    await workbench.save(path, b"-- all users\nDELETE FROM users;\n")
    await workbench.clear()


async def test_an_explanation_is_shown_beside_the_code(workbench: Workbench) -> None:
    await workbench.serve({"chats": [" adds.", " uses `+`."]})
    await workbench.open("explain.py", ADD)
    await workbench.go_to(2, 5)
    await workbench.command("Shardlight: Explain the selected code, or the function at the cursor")
    await workbench.panel(contains="How it works")
    await workbench.picture("explanation")
    await workbench.command("View: Close Editors in Other Groups")


async def test_lenses_above_functions(workbench: Workbench) -> None:
    await workbench.serve({"chats": [" adds.", " uses `+`."]})
    await workbench.open("lens.py", ADD)
    workbench.set(shardlight__codeLens__enabled=True)
    lens = "[...document.querySelectorAll('.codelens-decoration a')].map(e => e.textContent).join(' · ')"
    assert await workbench.page.until(lens) == "Document · Test · Explain"
    await workbench.picture("lenses")
    await workbench.click_on(".codelens-decoration a", "Explain")
    await workbench.panel(contains="How it works")
    workbench.set()
    await workbench.page.until("!document.querySelector('.codelens-decoration a')")
    await workbench.command("View: Close Editors in Other Groups")
