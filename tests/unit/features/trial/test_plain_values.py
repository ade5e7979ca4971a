from __future__ import annotations

import pytest

from lsp_server.features.trial.plain_values import plain_values
from lsp_server.syntax.scopes import Parameter


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("str", "'a b'"),
        ("'str'", "'a b'"),
        ("int | None", "2"),
        ("Optional[bytes]", "b'a b'"),
        ("t.Sequence[str]", "['a', 'b']"),
        ("list[int]", "[1, 2]"),
        ("dict[str, int]", "{'a': 1}"),
        ("collections.abc.Callable[[], int]", "str"),
        ("nodes.Node", "nodes.Node()"),
        ('"BaseRenderer"', "BaseRenderer()"),
    ],
)
def test_values_by_annotation(annotation: str, value: str) -> None:
    assert plain_values([Parameter("a", annotation)]) == [[f"a = {value}"]]


def test_what_nothing_is_said_of_may_be_anything() -> None:
    found = plain_values([Parameter("a"), Parameter("b", "int"), Parameter("c", "Any")])
    assert found == [
        ["a = 'a b'", "b = 2", "c = 'a b'"],
        ["a = 2", "b = 2", "c = 2"],
        ["a = [1, 2]", "b = 2", "c = [1, 2]"],
    ]
    assert plain_values([]) == [[]]
