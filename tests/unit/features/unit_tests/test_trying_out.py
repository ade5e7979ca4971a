"""Trying a function out, with a project's real Python; only the model's words are said before."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from lsp_server.context.workspace import Workspace
from lsp_server.features.types import find_target
from lsp_server.features.unit_tests import write_unit_tests
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.testing.bench import ProjectBench
from lsp_server.testing.sites import test_site as site_of
from lsp_server.text.edits import apply_edits
from tests.support.features import scripted, tools_of


async def written(root: Path, source: str, *chats: str, at: str, unittest: bool = False) -> tuple[str, tuple[str, ...]]:
    """The test file that comes of it, and what is said."""
    path = root / "calc.py"
    path.write_text(source, encoding="utf-8")
    if unittest:
        (root / "tests").mkdir()
        (root / "tests" / "test_other.py").write_text("import unittest\n", encoding="utf-8")
    site = site_of(path, "python", Workspace((root,), lambda _path: None))
    assert site is not None
    assert site.framework.name == ("unittest" if unittest else "pytest")
    target = find_target(Snapshot.open(source, "python"), source.index(at) + 1, path.relative_to(root))
    async with ProjectBench(site, trusted=True, timeout_s=60) as bench:
        tools = tools_of(backend=scripted(*chats))
        edit = await write_unit_tests(target, type(tools)(tools.backend, tools.prompts, bench=bench))
    return apply_edits(edit.before, edit.edits), edit.notes


# So often the model is asked for code in vain; then it is asked for names.
NOTHING = ["a b)"] * 5
NAMES = ["low", "high", "too_much", "other"]
LEVEL = '''\
def level(percent):
    """
    >>> level(40)
    'low'
    """
    if percent > 100:
        raise ValueError("too much")
    if percent > 50:
        return "high"
    return "low"
'''


async def test_examples_calls_and_other_values_become_tests(tmp_path: Path) -> None:
    text, notes = await written(tmp_path, LEVEL, "no test at all", "60)", "500)", *NOTHING, *NAMES, at="level")
    assert text == textwrap.dedent("""\
        import pytest

        from calc import level


        def test_level_low():
            assert level(50) == 'low'  # as it is today


        def test_level_high():
            assert level(51) == 'high'  # as it is today


        def test_level_too_much():
            assert level(100) == 'high'  # as it is today


        def test_level_other():
            with pytest.raises(ValueError):  # as it is today
                level(101)
        """)
    said = "4 from trying it out, expecting what it does today. They notice 6 of 7 small changes to it."
    assert notes == (said,)


async def test_what_a_written_test_calls_is_tried_with_other_values(tmp_path: Path) -> None:
    source = "def half(n, up=False):\n    if up:\n        return -(-n // 2)\n    return n // 2\n"
    answer = "():\n    assert isinstance(half(5), int)\n"
    text, notes = await written(tmp_path, source, answer, *NOTHING, "down", "up", "other", *"abc", at="half")
    assert "def test_half():\n    assert isinstance(half(5), int)\n" in text
    assert "def test_half_up():\n    assert half(5, up=True) == 3  # as it is today\n" in text
    assert notes[0].startswith("1 written, 1 passes. And ")


STORE = """\
class Store:
    def __init__(self):
        self.items = {}

    def put(self, name, count=1):
        self.items[name] = self.items.get(name, 0) + count
"""


async def test_a_method_that_changes_its_object(tmp_path: Path) -> None:
    text, _ = await written(tmp_path, STORE, "nothing", "'a')", "'a', 2)", *NOTHING, *NAMES, at="put", unittest=True)
    assert "class TestPut(unittest.TestCase):\n" in text
    made = "        store = Store()\n        store.put('a')\n"
    assert f"{made}        self.assertEqual(store.items, {{'a': 1}})  # as it is today\n" in text
    # Another test would notice no more.
    assert text.count("def test_") == 1


async def test_what_is_printed(tmp_path: Path) -> None:
    source = "def greet(name):\n    print(f'Hello, {name}!')\n"
    text, _ = await written(tmp_path, source, "nothing", "'you')", *["x"] * 9, at="greet")
    assert (
        "(capsys):\n    greet('you')\n    assert capsys.readouterr().out == 'Hello, you!\\n'  # as it is today\n"
        in text
    )


async def test_what_is_another_thing_each_time_is_no_test(tmp_path: Path) -> None:
    source = "import random\n\n\ndef roll(sides):\n    return random.random() * sides\n"
    with pytest.raises(Exception, match="No usable test came out for roll"):
        await written(tmp_path, source, *["6)"] * 40, at="roll")


async def test_tests_that_say_the_same_as_others_are_left_out(tmp_path: Path) -> None:
    one = "    assert half(9) == 5\n"
    answer = (
        f"_one():\n{one}\n\ndef test_half_two():\n    n = 9\n{one}\n\ndef test_half_three():\n    assert half(9) == 4\n"
    )
    source = "def half(n):\n    return n // 2\n"
    text, notes = await written(tmp_path, source, answer, *NOTHING, *NAMES, at="half")
    # Those that were wrong go; the one that was right stays.
    assert text == "from calc import half\n\n\ndef test_half_three():\n    assert half(9) == 4\n"
    assert notes[0].startswith("3 written, 1 passes, 2 dropped (1 failed, 1 saying no more than others). ")
    assert notes[0].endswith(" They notice 3 of 3 small changes to it.")


async def test_where_the_model_says_nothing_annotations_do(tmp_path: Path) -> None:
    source = "def shout(text: str, times: int) -> str:\n    return text.upper() * times\n"
    text, _ = await written(tmp_path, source, "nothing", *NOTHING, *NAMES, at="shout")
    assert "    text = 'a b'\n    times = 2\n    assert shout(text, times) == 'A BA B'  # as it is today\n" in text


THROUGH = """\
def render(text):
    page = type("Page", (), {"first": text.split("\\n")[0]})
    return "a title" if is_title(page) else "a text"


def is_title(page):
    return page.first.startswith("# ") and len(page.first) > 2
"""


async def test_what_no_call_reaches_is_reached_as_the_documentation_does(tmp_path: Path) -> None:
    page = "```python\nfrom calc import render\nrender('# a')\nrender('a')\n```\n"
    (tmp_path / "README.md").write_text(page, encoding="utf-8")
    text, notes = await written(tmp_path, THROUGH, "no test", *["a b)"] * 5, "title", at="def is_title")
    assert text == textwrap.dedent("""\
        from calc import is_title, render


        def test_is_title_title():
            assert render('# a') == 'a title'  # as it is today
        """)
    assert notes


ASKED = """\
class Level:
    def __init__(self, bound: int):
        self.bound = bound


async def above(level: Level, n: int) -> bool:
    return n > level.bound
"""


async def test_objects_of_the_project_and_what_is_awaited(tmp_path: Path) -> None:
    text, notes = await written(tmp_path, ASKED, "no test at all", "3", *["a b)"] * 12, *NAMES, at="def above")
    assert text == textwrap.dedent("""\
        import asyncio

        from calc import Level, above


        def test_above_low():
            level = Level(2)
            n = 2
            assert asyncio.run(above(level, n)) is False  # as it is today
        """)
    assert notes


DATED = """\
import datetime


def year(when: datetime.date) -> int:
    return when.year


def quarter(date: datetime.date) -> int:
    return (date.month + 2) // 3
"""


async def test_imports_stand_where_they_change_nothing_for_others(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    existing = "from shop import date\n\n\ndef test_shop():\n    assert date\n"
    (tmp_path / "tests" / "test_calc.py").write_text(existing, encoding="utf-8")
    (tmp_path / "shop.py").write_text("date = 1\n", encoding="utf-8")
    text, _ = await written(tmp_path, DATED, "no test at all", *["a b)"] * 5, *NAMES, at="def year")
    assert text == textwrap.dedent("""\
        from shop import date
        from calc import year


        def test_shop():
            assert date


        def test_year_too_much():
            from datetime import date
            when = date(2024, 2, 29)
            assert year(when) == 2024  # as it is today
        """)


async def test_a_name_that_the_test_gives_another_meaning_is_brought_in_it(tmp_path: Path) -> None:
    text, _ = await written(tmp_path, DATED, "no test at all", *["a b)"] * 5, *NAMES, at="def quarter")
    assert "():\n    from datetime import date\n    date = date(2024, 3, 29)\n    assert quarter(date) == 1" in text
    text, _ = await written(tmp_path, DATED, "no test at all", *["a b)"] * 5, *NAMES, at="def year")
    assert text.startswith("from datetime import date\n\nfrom calc import year\n\n\n")


async def test_what_has_to_be_given_by_name_is(tmp_path: Path) -> None:
    source = "def price(net: int, *, rate: int, **more: int) -> int:\n    return net * (100 + rate) // 100\n"
    text, _ = await written(tmp_path, source, "no test at all", *["a b)"] * 5, *NAMES, at="price")
    assert "    rate = 2\n    assert price(net, rate=rate) == " in text


async def test_what_there_is_is_told_before_what_there_is_not(tmp_path: Path) -> None:
    source = "def half(n):\n    return n // 2\n"
    answer = "():\n    assert half(9)[0] == 4\n"
    _, notes = await written(tmp_path, source, answer, *NOTHING, *NAMES, at="half")
    assert notes[0].startswith("1 from trying it out, expecting what it does today. 1 written, 1 dropped (1 failed).")
