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
    ("annotation", "value", "needed"),
    [
        ("date", "date(2024, 2, 29)", "from datetime import date"),
        ("datetime.date", "date(2024, 2, 29)", "from datetime import date"),
        ("datetime", "datetime(2024, 2, 29, 12, 30)", "from datetime import datetime"),
        ("pathlib.Path", "Path('a.txt')", "from pathlib import Path"),
        ("t.IO[bytes]", "io.BytesIO(b'a b')", "import io"),
        ("IO[str]", "io.StringIO('a b')", "import io"),
        ("re.Pattern[str]", "re.compile('a')", "import re"),
        ("Match", r"re.match(r'(\S*) (\S*)', 'a b')", "import re"),
    ],
)
def test_values_of_the_standard_library(annotation: str, value: str, needed: str) -> None:
    assert options(annotation) == [Made(value, (needed,))]
    # As it is said, it can be made.
    exec(f"{needed}\nassert {value}")  # noqa: S102


def test_a_match_has_the_groups_that_are_asked_for() -> None:
    (made,) = options("re.Match[str]", 'm.group("key") + m.group(\'value\') + m.group("key") + group(1)')
    assert made.code == r"re.match(r'(?P<key>\S*) (?P<value>\S*)', 'a b')"


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
