from __future__ import annotations

import pytest

from lsp_server.features.trial.plain_values import Made, class_in, is_object, options, parts


@pytest.mark.parametrize(
    ("annotation", "values"),
    [
        ("str", ["'a b'"]),
        ("bytes", ["b'a b'"]),
        ("t.Sequence[str]", ["['a', 'b']"]),
        ("list[int]", ["[1, 2]"]),
        ("dict[str, int]", ["{'a': 1}"]),
        ("collections.abc.Callable[[], int]", ["str"]),
        ("nodes.Node", ["nodes.Node()"]),
        ("", ["'a b'", "2", "[1, 2]"]),
        ("Any", ["'a b'", "2", "[1, 2]"]),
    ],
)
def test_values_by_annotation(annotation: str, values: list[str]) -> None:
    assert [made.code for made in options(annotation)] == values


@pytest.mark.parametrize(
    ("annotation", "found"),
    [
        ("str", ["str"]),
        ("'str'", ["str"]),
        ("int | None", ["int"]),
        ("None | int", ["int"]),
        ("Optional[bytes]", ["bytes"]),
        ("t.Union[None, str, dict[str, int]]", ["str", "dict[str, int]"]),
        ('t.Optional["core.Context"]', ["core.Context"]),
        ("dict[str, int]", ["dict[str, int]"]),
        ("", []),
    ],
)
def test_what_may_be_given(annotation: str, found: list[str]) -> None:
    assert parts(annotation) == found


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        ("Context", "Context"),
        ("core.Context", "Context"),
        ("str", ""),
        ("Sequence[Context]", ""),
        ("Any", ""),
        ("", ""),
    ],
)
def test_the_class_that_is_asked_for(annotation: str, name: str) -> None:
    assert class_in(annotation) == name


def test_what_is_an_object() -> None:
    assert all(is_object(Made(code)) for code in ("Color.RED", "nodes.Node()", "Context(Command('a'))"))
    assert not any(is_object(Made(code)) for code in ("'a b'", "True", "[1, 2]", "str", "{'A': 1}"))
