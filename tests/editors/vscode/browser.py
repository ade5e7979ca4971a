"""A headless Chromium with one page, driven over its own protocol.

Chromium takes commands over a pipe (file descriptors 3 and 4), so neither a port nor a driver of another language is
needed: what a test of an editor takes are keys, clicks, scripts that look at the page, and pictures.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import fcntl
import itertools
import json
import os
import signal
from pathlib import Path
from typing import Any

_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
_MODIFIERS = {"Alt": 1, "Control": 2, "Meta": 4, "Shift": 8}
# key -> (code, key code of Windows, which VS Code's bindings go by)
_KEYS = {
    "Enter": ("Enter", 13),
    "Tab": ("Tab", 9),
    "Escape": ("Escape", 27),
    "Backspace": ("Backspace", 8),
    "Delete": ("Delete", 46),
    "Home": ("Home", 36),
    "End": ("End", 35),
    "ArrowLeft": ("ArrowLeft", 37),
    "ArrowUp": ("ArrowUp", 38),
    "ArrowRight": ("ArrowRight", 39),
    "ArrowDown": ("ArrowDown", 40),
    "F1": ("F1", 112),
    "F10": ("F10", 121),
    ".": ("Period", 190),
    "[": ("BracketLeft", 219),
    "\\": ("Backslash", 220),
    "]": ("BracketRight", 221),
}
_TEXT = {"Enter": "\r"}
_POLL_S = 0.05
_LONG_S = 12.0


class PageError(Exception):
    """The page or the protocol says no."""


class Page:
    """The one page of a browser."""

    def __init__(self, process: asyncio.subprocess.Process, to_browser: int, from_browser: int) -> None:
        self._process = process
        self._to = to_browser
        self._from = from_browser
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._session: str | None = None
        self._buffer = b""
        self.console: list[str] = []
        # How long something that has to come is waited for; only a test that fails waits that long.
        self.patience_s = _LONG_S
        asyncio.get_running_loop().add_reader(from_browser, self._read)

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """A command of the protocol, and what comes back."""
        number = next(self._ids)
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._waiting[number] = future = asyncio.get_running_loop().create_future()
        os.write(self._to, json.dumps(message).encode() + b"\0")
        answer = await asyncio.wait_for(future, _LONG_S)
        if "error" in answer:
            raise PageError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _read(self) -> None:
        received = os.read(self._from, 1 << 20)
        if not received:
            asyncio.get_running_loop().remove_reader(self._from)
        *messages, self._buffer = (self._buffer + received).split(b"\0")
        for message in map(json.loads, messages):
            if (waiting := self._waiting.pop(message.get("id", 0), None)) and not waiting.done():
                waiting.set_result(message)
            elif message.get("method") == "Runtime.consoleAPICalled":
                said = message["params"]["args"]
                self.console.append(" ".join(str(one.get("value", "")) for one in said)[:500])

    async def open(self, address: str, width: int, height: int) -> None:
        """Go to an address, in a page of that size."""
        target = (await self.send("Target.createTarget", url="about:blank"))["targetId"]
        self._session = (await self.send("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.send("Emulation.setDeviceMetricsOverride", **size)
        await self.send("Emulation.setFocusEmulationEnabled", enabled=True)
        # No picture is to show half an animation.
        still = [{"name": "prefers-reduced-motion", "value": "reduce"}]
        await self.send("Emulation.setEmulatedMedia", features=still)
        await self.send("Runtime.enable")
        await self.send("Page.enable")
        await self.send("Page.navigate", url=address)

    async def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression yields."""
        answer = await self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise PageError(answer["exceptionDetails"].get("exception", {}).get("description", "?"))
        return answer["result"].get("value")

    async def until(self, expression: str, timeout: float | None = None) -> Any:
        """What a JavaScript expression yields as soon as that is something."""
        timeout = timeout or self.patience_s
        end = asyncio.get_running_loop().time() + timeout
        while not (value := await self.evaluate(expression)):
            if asyncio.get_running_loop().time() > end:
                raise TimeoutError(f"not within {timeout} s: {expression}")
            await asyncio.sleep(_POLL_S)
        return value

    async def press(self, chord: str) -> None:
        """A key with modifiers: `Control+Shift+P`, `Tab`."""
        *names, key = chord.split("+")
        modifiers = sum(_MODIFIERS[name] for name in names)
        code, number = _KEYS.get(key) or (f"Key{key.upper()}", ord(key.upper()))
        shown = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": modifiers}
        text = {"text": _TEXT[key]} if key in _TEXT and not modifiers else {}
        await self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **shown, **text)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **shown)

    async def type(self, text: str) -> None:
        """Characters, one key at a time."""
        for character in text:
            await self.send("Input.dispatchKeyEvent", type="keyDown", key=character, text=character)
            await self.send("Input.dispatchKeyEvent", type="keyUp", key=character)

    async def insert(self, text: str) -> None:
        """Text at once, as an input method does it."""
        await self.send("Input.insertText", text=text)

    async def click(self, x: float, y: float, *, button: str = "left", count: int = 1) -> None:
        """The mouse goes somewhere and clicks."""
        at = {"x": x, "y": y, "button": button, "clickCount": count}
        await self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        await self.send("Input.dispatchMouseEvent", type="mousePressed", **at)
        await self.send("Input.dispatchMouseEvent", type="mouseReleased", **at)

    async def hover(self, x: float, y: float) -> None:
        """The mouse goes somewhere."""
        await self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    async def picture(self) -> bytes:
        """What is to be seen, as PNG."""
        return base64.b64decode((await self.send("Page.captureScreenshot", format="png"))["data"])

    async def close(self) -> None:
        """End the browser, and nothing else."""
        with contextlib.suppress(OSError, asyncio.TimeoutError, PageError):
            await self.send("Browser.close")
        asyncio.get_running_loop().remove_reader(self._from)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        os.close(self._to)
        os.close(self._from)


async def launch(program: str, home: Path) -> Page:
    """Start a browser that keeps everything below a folder."""
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()
    # The child wants 3 and 4, which may be in use here: a shell puts them there. Far from these, none is overwritten.
    their_in, their_out = _moved(their_in), _moved(their_out)
    command = f'exec "$0" "$@" 3<&{their_in} 4>&{their_out}'
    process = await asyncio.create_subprocess_exec(
        "/bin/bash",
        "-c",
        command,
        program,
        *_FLAGS,
        f"--user-data-dir={home / 'chromium'}",
        env={**os.environ, "HOME": str(home)},
        pass_fds=(their_in, their_out),
        start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    os.close(their_in)
    os.close(their_out)
    return Page(process, our_out, our_in)


def _moved(descriptor: int) -> int:
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD, 100)
    os.close(descriptor)
    return moved
