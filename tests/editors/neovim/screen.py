"""Neovim's screen: a pseudo-terminal that it draws on, and pictures of that.

Pictures are drawn by the terminal of VS Code (xterm.js, which code-server brings along) in Chromium, and only where
``SHARDLIGHT_SCREENSHOTS`` names a folder for them.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from pathlib import Path

from tests.editors.terminal import open_terminal
from tests.editors.vscode.browser import Page, launch

COLUMNS, LINES = 106, 23
# Read now, since no test meets the user's variables of that kind.
_PICTURES = os.environ.get("SHARDLIGHT_SCREENSHOTS")
if _PICTURES:
    Path(_PICTURES).mkdir(parents=True, exist_ok=True)
_CHROMIUM = os.environ.get("SHARDLIGHT_CHROMIUM")
_CODE_SERVER = os.environ.get("SHARDLIGHT_CODE_SERVER")
# What Neovim asks to find out whether a terminal answers at all; if none does it waits, and says so.
_QUESTION, _ANSWER = b"\x1b[5n", b"\x1b[0n"
_QUIET_S = 0.2
_SHARPNESS = 2
_PAGE = """<!doctype html><meta charset="utf-8">
<link rel="stylesheet" href="{xterm}/css/xterm.css"><script src="{xterm}/lib/xterm.js"></script>
<body style="margin: 0"><script>
const terminal = new Terminal({{ cols: {columns}, rows: {lines}, fontFamily: "DejaVu Sans Mono", fontSize: 15,
  theme: {{ background: "#14161b" }} }})
terminal.open(document.body)
terminal.focus()
let drawn = 0
function show(bytes, count) {{
  const done = () => {{ drawn = count }}
  terminal.reset()
  terminal.write(Uint8Array.from(atob(bytes), one => one.charCodeAt()), () => {{
    requestAnimationFrame(() => requestAnimationFrame(done))
  }})
}}
</script>"""


class Screen:
    """What a Neovim has drawn.

    Attributes:
        neovim: the side of the terminal that is Neovim's standard input and output.
    """

    def __init__(self) -> None:
        self._ours, self.neovim = open_terminal(COLUMNS, LINES)
        self._drawn = b""
        self._page: Page | None = None
        asyncio.get_running_loop().add_reader(self._ours, self._read)

    def _read(self) -> None:
        drawn = os.read(self._ours, 1 << 16)
        self._drawn += drawn
        if _QUESTION in drawn:
            os.write(self._ours, _ANSWER)

    async def picture(self, name: str, home: Path) -> None:
        """Keep a picture of what is to be seen, if a folder for that is named.

        Args:
            name: of the picture.
            home: where the browser keeps its files.
        """
        if not (_PICTURES and _CHROMIUM and _CODE_SERVER):
            return
        seen = None
        while seen != self._drawn:
            seen = self._drawn
            await asyncio.sleep(_QUIET_S)
        if self._page is None:
            self._page = await _terminal(_CHROMIUM, Path(_CODE_SERVER), home)
        await self._page.evaluate(f"show({json.dumps(base64.b64encode(seen).decode())}, {len(seen)})")
        await self._page.until(f"drawn == {len(seen)}")
        (Path(_PICTURES) / f"{name}.png").write_bytes(await self._page.picture())

    async def close(self) -> None:
        """Let go of it; Neovim has ended."""
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)
        os.close(self.neovim)
        if self._page:
            await self._page.close()


async def _terminal(chromium: str, code_server: Path, home: Path) -> Page:
    xterm = code_server.parents[1] / "code-server/lib/vscode/node_modules/@xterm/xterm"
    file = home / "terminal.html"
    file.write_text(_PAGE.format(xterm=xterm.as_uri(), columns=COLUMNS, lines=LINES), encoding="utf-8")
    page = await launch(chromium, home)
    await page.open(file.as_uri(), 1600, 1200)
    size = await page.until(
        "typeof terminal == 'object' && document.querySelector('.xterm-screen')"
        " && (({width, height}) => ({width, height}))(document.querySelector('.xterm-screen').getBoundingClientRect())"
    )
    size = {name: round(value) for name, value in size.items()}
    await page.send("Emulation.setDeviceMetricsOverride", **size, deviceScaleFactor=_SHARPNESS, mobile=False)
    return page
