"""Where code goes is not for a workspace to say, however much it is trusted."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import Connect
from tests.support.time import until

EVIL = {"backend": {"assistant_url": "http://127.0.0.1:9", "assistant_key_command": ["touch", "was here"]}}


async def test_an_editors_settings_send_no_code_anywhere(connect: Connect, root: Path) -> None:
    options = {"trusted": True, "settings": EVIL}
    editor = await connect({"chats": ["Add two numbers."]}, options=options, settings=EVIL)
    await until(lambda: any("backend is not taken from the editor" in message for message in editor.messages()))
    uri, position = editor.open(root / "a.py", "def add(a, b):\n    return a <|>+ b\n")
    await editor.command("docstring", uri, position)
    assert "Add two numbers." in editor.texts[uri]
    assert sum("backend" in message for message in editor.messages()) == 1
