"""Another engine by a change of settings, with real ones: who answers goes on until the next one can."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from lsp_server.engine import runtime
from tests.e2e.test_real_model import editor_on, settings_for
from tests.support.editor import Editor
from tests.support.engine import engine_spec, stop
from tests.support.time import until

pytestmark = [pytest.mark.real_model, pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")]

CODE = "def area(width, height):\n    return <|>\n"


def change(editor: Editor, settings: dict[str, Any]) -> None:
    editor.client.set_configuration({"shardlight": settings})
    editor.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams({}))


async def test_a_larger_context_takes_over_while_one_types(small_model: Path, root: Path) -> None:
    old, new = (engine_spec(small_model, n_ctx=n_ctx) for n_ctx in (832, 896))
    async with editor_on(old, root) as editor:
        uri, position = editor.open(root / "shapes.py", CODE)
        assert await editor.complete(uri, position)

        change(editor, settings_for(new))
        answered = 0
        while runtime.read(old.name):
            assert await editor.complete(uri, position), "a suggestion was missing while the engine was changed"
            answered += 1

        assert answered > 0
        assert await editor.complete(uri, position)
        record = runtime.read(new.name)
        assert record
        assert record.n_ctx == 896
    await stop(new)


async def test_a_model_that_is_none_leaves_the_old_one_answering(small_model: Path, root: Path) -> None:
    spec = engine_spec(small_model, n_ctx=832)
    broken = root / "broken.gguf"
    broken.write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(1000))
    async with editor_on(spec, root) as editor:
        uri, position = editor.open(root / "shapes.py", CODE)
        assert await editor.complete(uri, position)

        change(editor, settings_for(dataclasses.replace(spec, model_path=broken)))
        await until(lambda: any("goes on answering" in message for message in editor.messages()))

        assert await editor.complete(uri, position)
        (message,) = (message for message in editor.messages() if "goes on answering" in message)
        assert "broken.gguf" in message
    await stop(spec)
