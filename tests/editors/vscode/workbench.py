"""VS Code as a user has it: files, keys, menus, the status bar; and what goes between it and the language server."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from tests.editors.vscode.browser import Page

T = TypeVar("T")

_LONG_S = 12.0
# How long the server may take to start: it is looked for first, and may have to be installed.
_START_S = 60.0
_POLL_S = 0.05
_ROWS = ".quick-input-widget .monaco-list-row"
_PREVIEW = '.tab[aria-label*="Preview: "]'
_ACTION = ".action-widget .monaco-list-row"
RESTRICTED = '.statusbar-item[aria-label*="Restricted Mode"]'
_INPUT = ".quick-input-widget input.input"
# Menus live in a shadow tree, which a selector does not look into.
_ALL = (
    "selector => [document, ...[...document.querySelectorAll('.shadow-root-host')].map(h => h.shadowRoot)]"
    ".flatMap(root => [...root.querySelectorAll(selector)])"
)


class Workbench:
    """The page of a running code-server.

    Args:
        served: the folder that the server's stand-in writes to and has its script in, see ``served``.
        user: VS Code's own folder, with the settings.
        pictures: where screenshots go, if anywhere.
    """

    def __init__(self, page: Page, folder: Path, served: Path, user: Path, pictures: Path | None) -> None:
        self.page = page
        self.folder = folder
        self.served = served
        self.user = user
        self._pictures = pictures

    # What a user does

    async def trust(self) -> None:
        """Take the folder out of restricted mode, in which it is opened."""
        await self.command("Workspaces: Manage Workspace Trust")
        await self.click_on(".workspace-trust-buttons-row .monaco-button", "Trust")
        await self.page.until(f"!{_has(RESTRICTED)}")
        await self.page.press("Control+W")

    async def open(self, name: str, text: str | bytes | None = None) -> Path:
        """A file of the workspace, written first if a text is given, in an editor that has the focus."""
        path = self.folder / name
        if text is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        await self.quick_input("Control+P", str(path), path.name)
        await self.in_view(path.name)
        return path

    async def in_view(self, name: str) -> None:
        """Wait until an editor of that file has the focus."""
        tab = f".editor-group-container.active .tab.active[aria-label*={json.dumps(name)}]"
        await self.page.until(f"!!document.querySelector({json.dumps(tab)}) && {_has('.monaco-editor.focused')}")

    async def close_all(self) -> None:
        """Close all editors; what is in them and not saved is gone."""
        tabs = "document.querySelectorAll('.tab').length"
        while number := await self.page.evaluate(tabs):
            await self.command("View: Revert and Close Editor")
            await self.page.until(f"{tabs} < {number}")

    async def changed(self, name: str) -> None:
        """Wait until an editor of that file has the focus, and what is in it is not saved."""
        await self.in_view(name)
        await self.page.until(_has(".editor-group-container.active .tab.active.dirty"))

    async def go_to(self, line: int, column: int) -> None:
        """The cursor, counted from 1."""
        await self.press_until("Control+G", _has(f"{_INPUT}:focus"))
        await self.page.insert(f"{line}:{column}")
        await self.page.until(f"document.querySelector({json.dumps(_ROWS)})?.ariaLabel.includes('{line}')")
        await self.page.press("Enter")
        await self.page.until(_has(".monaco-editor.focused"))

    async def command(self, title: str) -> None:
        """Choose a command of the palette."""
        await self.quick_input("F1", title, title)

    async def quick_input(self, key: str, text: str, row: str) -> None:
        """Open a list by a key, type, and take the row that is then the first."""
        await self.press_until(key, _has(f"{_INPUT}:focus"))
        await self.page.insert(text)
        try:
            await self.choose(row, first=True, timeout=_LONG_S / 3)
        except TimeoutError:
            # It closes where something else takes the focus meanwhile.
            await self.page.press("Escape")
            await self.press_until(key, _has(f"{_INPUT}:focus"))
            await self.page.insert(text)
            await self.choose(row, first=True)

    async def press_until(self, chord: str, expression: str) -> None:
        """Press a key until the page is as it should be then: a press is lost where the focus is on its way."""
        for last in (False, False, True):
            await self.page.press(chord)
            try:
                await self.page.until(expression, None if last else _LONG_S / 4)
            except TimeoutError:
                if last:
                    raise
            else:
                return

    async def choose(self, row: str, *, first: bool = False, timeout: float | None = None) -> None:
        """Take a row of the list that is open, as soon as it is there."""
        which = "0" if first else f"rows.findIndex(r => r.ariaLabel.includes({json.dumps(row)}))"
        found = (
            f"(() => {{ const rows = [...document.querySelectorAll({json.dumps(_ROWS)})]; const row = rows[{which}];"
            f" if (!row?.ariaLabel.includes({json.dumps(row)})) return null; const at = row.getBoundingClientRect();"
            " return [at.x + 60, at.y + 11] })()"
        )
        x, y = await self.page.until(found, timeout)
        if first:
            await self.page.press("Enter")
        else:
            await self.page.click(x, y)
        await self.page.until(f"!{_has(_INPUT + ':focus')} || document.querySelector('{_INPUT}').value === ''")

    async def answer(self, text: str) -> None:
        """Type into the input box that is open, and accept."""
        await self.page.until(_has(f"{_INPUT}:focus"))
        await self.page.insert(text)
        await self.page.press("Enter")

    async def click_on(self, selector: str, text: str = "", *, button: str = "left") -> None:
        """Click on an element with that text."""
        x, y = await self._middle(selector, text)
        await self.page.click(x, y, button=button)

    async def take(self, text: str) -> None:
        """Choose an entry of an open menu: VS Code takes no click in one that has just opened."""
        await self.page.hover(*await self._middle(".monaco-submenu .action-label", text))
        await self.elements(".monaco-submenu .action-item.focused", 1)
        await self.page.press("Enter")

    async def _middle(self, selector: str, text: str) -> tuple[float, float]:
        """Where an element with that text is."""
        found = (
            f"(() => {{ const text = {json.dumps(text)}; const one = ({_ALL})({json.dumps(selector)})"
            ".find(e => (e.ariaLabel ?? '').includes(text) || e.textContent.includes(text));"
            " const at = one?.getBoundingClientRect();"
            " return at?.width ? [at.x + at.width / 2, at.y + at.height / 2] : null })()"
        )
        x, y = await self.page.until(found)
        return x, y

    async def elements(self, selector: str, at_least: int) -> None:
        """Wait for so many elements."""
        await self.page.until(f"({_ALL})({json.dumps(selector)}).length >= {at_least}")

    async def act(self, title: str) -> None:
        """Choose a code action at the cursor."""
        await self.list_actions()
        await self.click_on(_ACTION, title)

    async def list_actions(self) -> None:
        """Open the menu of code actions at the cursor."""
        await self.press_until("Control+.", _has(_ACTION))

    async def save(self, path: Path, expected: bytes | None = None) -> bytes:
        """Save the editor in view; what is in the file then, once that is what is expected."""
        before = await asyncio.to_thread(_version, path)
        await self.page.press("Control+S")

        async def written() -> bytes | None:
            content = await asyncio.to_thread(path.read_bytes)
            saved = _version(path) != before if expected is None else content == expected
            return content if saved else None

        content = await until(written, lambda: f"{path.name} is {path.read_bytes()!r}")
        await self.page.until(f"!{_has('.editor-group-container.active .tab.active.dirty')}")
        return content

    # What a user sees

    async def status(self, *, contains: str = "") -> str:
        """The label of the status bar item, once it contains that."""
        item = "document.querySelector('[id=\"shardlight.shardlight.status\"]')?.ariaLabel"
        label = f"(() => {{ const label = {item} ?? ''; return label.includes({json.dumps(contains)}) && label }})()"
        try:
            return str(await self.page.until(label))
        except TimeoutError as error:
            raise TimeoutError(f"{error}; it is {await self.page.evaluate(item)!r}") from error

    async def open_menu(self) -> None:
        """Click on the status bar item."""
        await self.click_on('[id="shardlight.shardlight.status"] a')
        await self.page.until(_has(_ROWS))

    async def ghost_text(self, *, contains: str) -> str:
        """The suggestion that is shown, once it contains that."""
        return await self._ghost_text(f"text.includes({json.dumps(contains)})")

    async def rest_of_ghost_text(self, text: str) -> None:
        """Wait until just that is shown of a suggestion."""
        await self._ghost_text(f"text === {json.dumps(text)}")

    async def less_ghost_text(self, text: str) -> str:
        """The end of a suggestion, once only that is shown of it."""
        whole = json.dumps(text)
        return await self._ghost_text(f"text !== {whole} && {whole}.endsWith(text)")

    async def _ghost_text(self, condition: str) -> str:
        shown = "[...document.querySelectorAll('.ghost-text-decoration, .ghost-text')].map(e => e.textContent).join('')"
        text = f"(() => {{ const text = {shown}.replaceAll('\\u00a0', ' '); return {condition} && text }})()"
        return str(await self.page.until(text))

    async def no_ghost_text(self) -> None:
        """Once no suggestion is shown."""
        await self.page.until("!document.querySelector('.ghost-text-decoration, .ghost-text')")

    async def lines(self, *, contains: str = "") -> str:
        """The visible lines of the editors, once they contain that."""
        wanted = json.dumps(contains)
        # Lines are painted in any order; their place says which is which.
        shown = (
            "[...document.querySelectorAll('.view-lines')].flatMap(v => [...v.querySelectorAll('.view-line')]"
            ".sort((a, b) => parseInt(a.style.top) - parseInt(b.style.top)).map(l => l.textContent)).join('\\n')"
        )
        text = (
            f"(() => {{ const text = {shown}.replaceAll('\\u00a0', ' '); return text.includes({wanted}) && text }})()"
        )
        return str(await self.page.until(text))

    async def cursor(self, place: str) -> None:
        """Wait until the status bar says that the cursor is there."""
        selection = "document.querySelector('[id=\"status.editor.selection\"]')?.textContent"
        await self.page.until(f"{selection}?.includes({json.dumps(place)})")

    async def preview(self) -> None:
        """Wait for a comparison that is to be applied or discarded."""
        await self.page.until(_has(_PREVIEW))

    async def no_preview(self) -> None:
        """Wait until there is none."""
        await self.page.until(f"!{_has(_PREVIEW)}")

    async def message(self, text: str) -> None:
        """Wait for a notification."""
        toasts = "[...document.querySelectorAll('.notification-toast')]"
        await self.page.until(f"{toasts}.some(t => t.textContent.includes({json.dumps(text)}))")

    async def clear(self) -> None:
        """No message and no list is in the way."""
        for _ in range(3):
            await self.page.press("Escape")
        await self.command("Notifications: Clear All Notifications")
        await self.page.until("!document.querySelector('.notification-toast')")

    async def picture(self, name: str) -> None:
        """Keep a picture of the page, if a folder for that is named."""
        if self._pictures:
            self._pictures.mkdir(parents=True, exist_ok=True)
            (self._pictures / f"{name}.png").write_bytes(await self.page.picture())

    async def panel(self, *, contains: str) -> str:
        """The text of a view beside the code, once it contains that."""
        wanted = json.dumps(contains)
        # A frame within a frame, both served by VS Code itself.
        text = (
            "[...document.querySelectorAll('iframe.webview')].map(f => "
            "f.contentDocument?.querySelector('#active-frame')?.contentDocument?.body.innerText ?? '').join('')"
        )
        return str(await self.page.until(f"(() => {{ const t = {text}; return t.includes({wanted}) && t }})()"))

    # Settings and the server

    def settings(self) -> dict[str, Any]:
        """The settings of the machine that the code is on, as they are in their file."""
        settings: dict[str, Any] = json.loads(self._settings.read_text(encoding="utf-8"))
        return settings

    def set(self, **settings: Any) -> None:
        """Settings of the machine that the code is on, which count at once; `__` stands for a dot."""
        given = {name.replace("__", "."): value for name, value in settings.items()}
        self._settings.write_text(json.dumps(given), encoding="utf-8")

    @property
    def _settings(self) -> Path:
        return self.user / "Machine" / "settings.json"

    async def serve(self, script: dict[str, Any]) -> None:
        """Start the server again, over a model with that script."""
        (self.served / "script.json").write_text(json.dumps(script), encoding="utf-8")
        before = self.server_pid()
        await self.command("Shardlight: Restart the language server")
        await self.another_server(before)

    async def another_server(self, than: int | None) -> int:
        """Wait for a server of another process, which is ready; its process id."""

        async def started() -> int | None:
            await asyncio.sleep(0)
            pid = self.server_pid()
            return pid if pid != than else None

        pid = await until(started, lambda: f"no other server than {than}", _START_S)
        await self.status(contains="Ready")
        return pid

    def server_pid(self) -> int | None:
        """The process id of the server, once it was started."""
        return int(self._wired()["pid"]) if (self.served / self._wire_name).exists() else None

    async def requested(self, method: str, count: int = 1) -> None:
        """Wait until the editor has sent that so often."""

        async def sent() -> bool:
            return len(await self.requests(method)) >= count

        await until(sent, lambda: f"no {method} was sent")

    async def ask(self, method: str, params: Any = None) -> Any:
        """What the server answers to a request that is not the editor's."""
        return await self._wire({"do": "ask", "method": method, "params": params})

    async def tell(self, method: str, params: Any) -> None:
        """A notification to the editor, as if the server had sent it."""
        await self._wire({"do": "tell", "method": method, "params": params})

    async def requests(self, method: str) -> list[dict[str, Any]]:
        """What the editor has sent to this server."""
        return [message["params"] for message in await self.sent() if message.get("method") == method]

    async def sent(self) -> list[dict[str, Any]]:
        """All messages of the editor to this server."""
        messages: list[dict[str, Any]] = await self._wire({"do": "sent"})
        return messages

    def calls(self) -> list[list[str]]:
        """The arguments with which the server's program was run so far."""
        lines = (self.served / "calls.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    async def _wire(self, wish: dict[str, Any]) -> Any:
        reader, writer = await asyncio.open_unix_connection(self._wired()["socket"], limit=1 << 26)
        writer.write(json.dumps(wish).encode() + b"\n")
        answer = await asyncio.wait_for(reader.readline(), _LONG_S)
        writer.close()
        return json.loads(answer)

    @property
    def _wire_name(self) -> str:
        return f"wire {self.folder.name}.json"

    def _wired(self) -> dict[str, Any]:
        wired: dict[str, Any] = json.loads((self.served / self._wire_name).read_text(encoding="utf-8"))
        return wired


async def until(
    condition: Callable[[], Awaitable[T | None]], otherwise: Callable[[], str], patience_s: float = _LONG_S
) -> T:
    """What a condition yields as soon as that is something, empty or not."""
    end = asyncio.get_running_loop().time() + patience_s
    while (value := await condition()) is None or value is False:
        if asyncio.get_running_loop().time() > end:
            raise TimeoutError(otherwise())
        await asyncio.sleep(_POLL_S)
    return value


def _version(path: Path) -> int:
    return path.stat().st_mtime_ns


def _has(selector: str) -> str:
    return f"!!document.querySelector({json.dumps(selector)})"


def plain(text: str) -> str:
    """A text with one blank wherever there is white space."""
    return re.sub(r"\s+", " ", text)


QUIET = {
    "telemetry.telemetryLevel": "off",
    "workbench.startupEditor": "none",
    "workbench.enableExperiments": False,
    "workbench.tips.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "update.mode": "none",
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "chat.disableAIFeatures": True,
    "git.enabled": False,
    "files.autoSave": "off",
    "editor.inlineSuggest.enabled": True,
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "editor.lightbulb.enabled": "on",
    # A file is to be what the test says, and nothing else.
    "editor.detectIndentation": False,
    "editor.insertSpaces": True,
}
