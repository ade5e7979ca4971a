"""What an explanation may make an editor do: nothing."""

from __future__ import annotations

import pytest

from lsp_server.features.postprocess.markdown import harmless, linked


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("It uses `total` and `total`.", "It uses [`total`](file:///a.py#L7) and `total`."),
        ("It calls `total()`.", "It calls [`total()`](file:///a.py#L7)."),
        ("### `total`\n\n`total` is 1.", "### `total`\n\n[`total`](file:///a.py#L7) is 1."),
        ("```\n`total`\n```\n`other`", "```\n`total`\n```\n`other`"),
        ("[`total`](file:///b.py#L1)", "[`total`](file:///b.py#L1)"),
        ("`total` + 1, `a total`", "[`total`](file:///a.py#L7) + 1, `a total`"),
    ],
)
def test_the_first_mention_of_a_name_is_a_link(text: str, shown: str) -> None:
    assert linked(text, {"total": 7}, "file:///a.py") == shown
