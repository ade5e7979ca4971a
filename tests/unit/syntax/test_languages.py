from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lsp_server.syntax.languages import LANGUAGES, language, language_for_path


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("python", "python"),
        ("sh", "shellscript"),
        ("bash", "shellscript"),
        ("c++", "cpp"),
        ("jsx", "javascriptreact"),
        ("tsx", "typescriptreact"),
        ("cs", "csharp"),
        ("C#", "csharp"),
        ("haskell", "haskell"),
    ],
)
def test_ids_as_editors_send_them(sent: str, expected: str) -> None:
    found = language(sent)
    assert found is not None
    assert found.id == expected


def test_an_unknown_id_is_no_language() -> None:
    assert language("klingon") is None
    assert language("") is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b.PY", "python"),
        (Path("x.test.tsx"), "typescriptreact"),
        ("a/Makefile", "makefile"),
        (".bashrc", "shellscript"),
        ("main.h", "cpp"),
        ("README", None),
    ],
)
def test_a_path_says_its_language(path: str | Path, expected: str | None) -> None:
    found = language_for_path(path)
    assert (found.id if found else None) == expected


@pytest.mark.parametrize("field", ["ids", "extensions", "filenames"])
def test_no_two_rows_claim_the_same(field: str) -> None:
    claims = Counter(
        claim for row in LANGUAGES for claim in ((row.id, *row.aliases) if field == "ids" else getattr(row, field))
    )
    assert [claim for claim, rows in claims.items() if rows > 1] == []
    assert [claim for claim in claims if claim != claim.lower()] == []


def test_every_language_with_queries_has_a_grammar_wheel_and_a_way_to_document() -> None:
    assert [row.id for row in LANGUAGES if row.queries and not (row.wheel and row.docs)] == []
