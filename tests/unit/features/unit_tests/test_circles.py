from __future__ import annotations

import pytest

from lsp_server.features.unit_tests import write_unit_tests
from lsp_server.features.unit_tests.circles import closed, goes_in_circles, whole_lines
from lsp_server.text.edits import apply_edits
from tests.support.features import bench, limited, target_of, tools_of


def rows(count: int, form: str = "\t\t{{{n}, {n}}},\n") -> str:
    return "".join(form.format(n=n) for n in range(count))


@pytest.mark.parametrize(("count", "expected"), [(7, False), (8, True), (30, True)])
def test_what_a_circle_is(count: int, expected: bool) -> None:
    assert goes_in_circles("func TestA(t *testing.T) {\n\tcases := []int{\n" + rows(count) + "\t\t{") is expected
    assert not goes_in_circles("".join(f"{chr(97 + n)}()\n" for n in range(count)))


def test_a_table_is_closed_behind_its_first_rows() -> None:
    head = "func TestA(t *testing.T) {\n\tcases := []struct{ a, b int }{\n"
    assert closed(head + rows(9) + "\t\t{9", "//") == head + rows(4) + "\t}"
    assert closed(head + rows(3), "//") is None


def test_a_circle_without_brackets_around_it_is_none_of_a_table() -> None:
    code = "def test_a():\n" + rows(9, "    assert add({n}, 0) == {n}\n") + "    assert"
    assert closed(code, "#") is None
    assert whole_lines(code) == "def test_a():\n" + rows(4, "    assert add({n}, 0) == {n}\n")


async def test_the_model_goes_on_behind_the_table() -> None:
    table = "(t *testing.T) {\n\tcases := []struct{ a, b, sum int }{\n"
    row = "\t\t{{{n}, {n}, {n}}},\n"
    rest = "\n\tfor _, c := range cases {\n\t\tif Add(c.a, c.b) != c.sum {\n\t\t\tt.Error(c)\n\t\t}\n\t}\n}\n"
    where = bench(
        framework="Go's testing package", source="a.go", test_file="a_test.go", module="./a.go", passed=("TestAdd",)
    )
    target = target_of("package a\n\nfunc Add(a, b int) int {\n\t<|>return a + b\n}\n", "go")
    tools = tools_of(backend=limited(1000, table + rows(40, row), rest), bench=where)
    edit = await write_unit_tests(target, tools)
    assert apply_edits("", edit.edits).endswith(f"func TestAdd{table}{rows(4, row)}\t}}{rest}")
