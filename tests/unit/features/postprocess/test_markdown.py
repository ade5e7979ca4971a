"""What an explanation may make an editor do: nothing."""

from __future__ import annotations

import pytest

from lsp_server.features.postprocess.markdown import harmless


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Plain *words*.", "Plain *words*."),
        ("![x](http://127.0.0.1/x.png)", "[x](http://127.0.0.1/x.png)"),
        ("<img src=x>", "&lt;img src=x>"),
        ("a `list<int>` and <b>", "a `list<int>` and &lt;b>"),
        ("```html\n<img>\n```\n<img>", "```html\n<img>\n```\n&lt;img>"),
        ("```\n<open", "```\n<open"),
        ("`half <img>", "`half &lt;img>"),
        ("", ""),
    ],
)
def test_prose_is_made_harmless_and_code_is_kept(text: str, shown: str) -> None:
    assert harmless(text) == shown
