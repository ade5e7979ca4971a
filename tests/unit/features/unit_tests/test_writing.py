from __future__ import annotations

from dataclasses import replace

import pytest

from lsp_server.errors import RefusedError
from lsp_server.features.types import FileEdit
from lsp_server.features.unit_tests import write_unit_tests
from lsp_server.inference.backend import ChatRequest
from lsp_server.testing.reports import TestRun as Run
from lsp_server.text.edits import apply_edits
from tests.support.features import FakeBench, bench, limited, scripted, target_of, tools_of

ADD = "def add(a, b):\n    <|>return a + b\n"
# The model goes on after `def test_add`.
TWO = "():\n    assert add(1, 2) == 3\n\n\ndef test_add_negative():\n    assert add(-1, 1) == 0\n"


async def written(answer: str, on: FakeBench, marked: str = ADD, *, limit: int | None = None) -> FileEdit:
    # The second is for the request to correct what failed.
    backend = scripted(answer, "") if limit is None else limited(limit, answer, "")
    return await write_unit_tests(target_of(marked), tools_of(backend=backend, bench=on))


def text_of(edit: FileEdit) -> str:
    return apply_edits(edit.before, edit.edits)


async def test_only_what_passed_is_offered() -> None:
    on = bench(passed=("test_add",), failed={"test_add_negative": "assert 0 == 1"})
    edit = await written(TWO, on)
    assert edit.creates
    assert edit.path == on.site.path
    assert edit.title == "Add 1 test for add"
    assert edit.notes == ("2 written, 1 passes, 1 dropped (1 failed).",)
    assert text_of(edit) == "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
    assert "def test_add_negative():" in on.ran[0]


async def test_all_that_passed() -> None:
    edit = await written(TWO, bench(passed=("test_add", "test_add_negative")))
    assert edit.title == "Add 2 tests for add"
    assert edit.notes == ("2 written, 2 pass.",)


async def test_what_does_not_always_pass_is_dropped() -> None:
    on = bench(passed=("test_add", "test_add_negative"))
    on.again = Run(frozenset({"test_add"}))
    edit = await written(TWO, on)
    assert edit.notes == ("2 written, 1 passes, 1 dropped (1 not always passing).",)
    assert "test_add_negative" not in text_of(edit)


async def test_what_passes_without_the_function_is_dropped() -> None:
    on = bench(passed=("test_add", "test_add_negative"))
    on.emptied = Run(frozenset({"test_add"}))
    edit = await written(TWO, on)
    assert edit.notes == ("2 written, 1 passes, 1 dropped (1 passing without the function).",)
    assert "def test_add()" not in text_of(edit)
    on.emptied = Run(frozenset({"test_add", "test_add_negative"}))
    with pytest.raises(
        RefusedError, match=r"None of the 2 tests for add says anything.*2 passing without the function"
    ):
        await written(TWO, on)


async def test_nothing_passed_is_refused_with_the_first_reason() -> None:
    with pytest.raises(RefusedError, match=r"None of the 2 tests for add passed.*ModuleNotFoundError: calc"):
        await written(TWO, bench(failed={"": "ModuleNotFoundError: calc"}))


async def test_tests_that_could_not_be_run_are_offered_with_a_note() -> None:
    edit = await written(TWO, bench(trouble="this workspace is not trusted."))
    assert edit.title == "Add 2 tests for add"
    assert edit.notes == ("not run, this workspace is not trusted.",)


@pytest.mark.parametrize(
    "useless",
    [
        "def test_other():\n    assert True\n",
        "def test_none():\n    add(1, 2)\n",
        "def helper():\n    assert add(1, 2) == 3\n",
        "def test_add_again():\n    # the same, with a comment\n    assert add(1,2) == 3\n",
        "def test_broken():\n    assert add(1, 2 == 3\n",
        "def test_twice(a, a):\n    assert add(1, 2) == 4\n",
        "def test_any():\n    with pytest.raises(Exception) as error:\n        add(1)\n",
        "def test_any():\n    with self.assertRaises(BaseException):\n        add(1)\n",
        "class TestAdd:\n    def test_add_in_class(self):\n        assert add(1, 2) == 5\n",
    ],
    ids=[
        "without the subject",
        "without assert",
        "no test",
        "duplicate",
        "syntax",
        "compile",
        "any error",
        "unittest's any",
        "in a class",
    ],
)
async def test_what_is_no_test_of_the_subject_is_left_out(useless: str) -> None:
    on = bench(passed=("test_add",))
    await written(f"():\n    assert add(1, 2) == 3\n\n\n{useless}", on)
    assert on.ran[:1] == ["from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"]


async def test_the_test_in_which_the_answer_broke_off_is_left_out_even_if_it_reads_like_one() -> None:
    on = bench(passed=("test_add",))
    # Cut off behind `assert add(-1, 1)`, which holds as long as the sum is not 0.
    await written(TWO, on, limit=11)
    assert on.ran[:1] == ["from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"]


async def test_the_last_test_stays_if_the_answer_broke_off_behind_it() -> None:
    on = bench(passed=("test_add",))
    answer = "():\n    assert add(1, 2) == 3\n\n\ndef test_add_n"
    await written(answer, on, limit=7)
    assert "def test_add():" in on.ran[0]


async def test_enough_is_enough() -> None:
    backend = scripted("".join(f"():\n    assert add({n}, 0) == {n}\n\n\ndef test_n{n}" for n in range(20)))
    on = bench(trouble="not run")
    await write_unit_tests(target_of(ADD), tools_of(backend=backend, bench=on))
    assert on.ran[0].count("def test_") == 5


async def test_the_answer_is_begun_for_the_model() -> None:
    backend = scripted(TWO)
    await write_unit_tests(target_of(ADD), tools_of(backend=backend, bench=bench(passed=("test_add",))))
    request = backend.seen[0]
    assert isinstance(request, ChatRequest)
    assert request.messages[-1].content == "```python\nimport pytest\n\nfrom calc import add\n\n\ndef test_add"


async def test_imports_are_what_the_tests_use() -> None:
    source = "import json\nfrom math import pi, tau\nfrom .units import Unit\n\n\nclass Extra:\n    pass\n\n\n" + ADD
    answer = (
        "():\n    with pytest.raises(TypeError):\n        add(pi, json.loads('{}'))\n"
        "\n\ndef test_unit():\n    assert add(Unit(1), Extra()) == Unit(2)\n"
    )
    edit = await written(answer, bench(passed=("test_add", "test_unit")), source)
    assert text_of(edit).startswith(
        "import json\nfrom math import pi\n\nimport pytest\n\nfrom calc import Extra, add\nfrom units import Unit\n"
    )


async def test_a_relative_import_is_written_out() -> None:
    on = bench(passed=("test_add",))
    on.site = replace(on.site, module="shop.calc")
    edit = await written("():\n    assert add(Unit(1), 1) == Unit(2)\n", on, "from .units import Unit\n\n\n" + ADD)
    assert text_of(edit).startswith("from shop.calc import add\nfrom shop.units import Unit\n")


async def test_a_method_is_tested_through_its_class() -> None:
    backend = scripted("():\n    assert Cart().total() == 0\n")
    marked = "class Cart:\n    def total(self):\n        <|>return 0\n"
    on = bench(passed=("test_total",))
    edit = await write_unit_tests(target_of(marked), tools_of(backend=backend, bench=on))
    assert text_of(edit).startswith("from calc import Cart\n")
    request = backend.seen[0]
    assert isinstance(request, ChatRequest)
    assert "class Cart:\n    def total(self):" in request.messages[1].content


@pytest.mark.parametrize("name", ["__init__", "__add__"])
async def test_special_methods_are_tested_through_their_class(name: str) -> None:
    marked = f"class Cart:\n    def {name}(self, x):\n        <|>self.x = x\n"
    edit = await written("():\n    assert Cart(1).x == 1\n", bench(passed=(f"test_{name.strip('_')}",)), marked)
    assert "assert Cart(1).x == 1" in text_of(edit)


EXISTING = (
    '"""Tests.\n\nimport nothing from here\n"""\nimport os\n\nfrom calc import (\n    sub,\n)\n'
    "\n\ndef test_add():\n    assert sub(1, 1) == 0\n"
)


async def test_an_existing_file_is_extended_without_a_clash_of_names() -> None:
    on = bench(passed=("test_add_2", "test_add_negative"), existing=EXISTING)
    edit = await written(TWO, on)
    assert not edit.creates
    assert edit.before == EXISTING
    assert text_of(edit) == EXISTING.replace(")\n\n\ndef", ")\nfrom calc import add\n\n\ndef") + (
        "\n\ndef test_add_2():\n    assert add(1, 2) == 3\n\n\ndef test_add_negative():\n    assert add(-1, 1) == 0\n"
    )


async def test_an_import_that_is_there_is_not_repeated() -> None:
    existing = "from calc import add\n\n\ndef test_x():\n    pass"
    edit = await written("():\n    assert add(1, 2) == 3\n", bench(passed=("test_add",), existing=existing))
    assert text_of(edit) == existing + "\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"


@pytest.mark.parametrize(
    ("existing", "start"),
    [
        ("", "from calc import add\n"),
        ("# Licence\n\nX = 1\n", "# Licence\n\nfrom calc import add\n\nX = 1\n"),
        ('"""Tests."""\n\nX = 1\n', '"""Tests."""\n\nfrom calc import add\n\nX = 1\n'),
        ("import os", "import os\nfrom calc import add\n"),
        ("import os\r\n\r\nX = 1\r\n", "import os\r\nfrom calc import add\r\n\r\nX = 1\r\n"),
        ("try:\n    import x\nexcept ImportError:\n    x = None\n", "from calc import add\n\ntry:\n"),
    ],
    ids=["empty", "no imports", "docstring", "no final newline", "CRLF", "import in a block"],
)
async def test_where_imports_go(existing: str, start: str) -> None:
    edit = await written("():\n    assert add(1, 2) == 3\n", bench(passed=("test_add",), existing=existing))
    text = text_of(edit)
    assert text.startswith(start)
    if "\r" in existing:
        assert text.count("\n") == text.count("\r\n")


async def test_an_existing_file_with_a_syntax_error_is_left_alone() -> None:
    with pytest.raises(RefusedError, match="existing test file has a syntax error"):
        await written(TWO, bench(passed=("test_add",), existing="import (\n"))


async def test_an_existing_file_that_cannot_be_read_is_left_alone() -> None:
    on = bench()
    on.site = replace(on.site, exists=True)
    with pytest.raises(RefusedError, match=r"test_calc\.py cannot be read as UTF-8"):
        await written(TWO, on)
    assert not on.ran


async def test_no_usable_test_is_refused_and_nothing_is_run() -> None:
    on = bench()
    with pytest.raises(RefusedError, match="No usable test came out for add"):
        await written("I cannot write tests.", on)
    assert not on.ran


async def test_a_document_without_a_file_says_what_is_missing() -> None:
    with pytest.raises(RefusedError, match="Save this document first"):
        await write_unit_tests(target_of(ADD), tools_of("x"))


async def test_a_test_that_goes_in_circles_is_cut_short() -> None:
    lines = "".join(f"    assert add({n}, {n}) == {2 * n}\n" for n in range(40))
    on = bench(passed=("test_add",))
    await written(f"():\n{lines}", on)
    kept = "".join(f"    assert add({n}, {n}) == {2 * n}\n" for n in range(4))
    assert on.ran[0] == f"from calc import add\n\n\ndef test_add():\n{kept}"


async def test_other_names_of_imports_are_kept() -> None:
    source = "import numpy as np\nfrom sqlparse import sql, tokens as T\nimport os.path\n\n\n" + ADD
    answer = "():\n    assert add(np.one, T.Name) == os.path.join('a')\n"
    edit = await written(answer, bench(passed=("test_add",)), source)
    assert text_of(edit).startswith(
        "import numpy as np\nimport os.path\nfrom sqlparse import tokens as T\n\nfrom calc import add\n"
    )
