from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.completion.cross_file import Module, modules, needed

TEXTS = {
    "src/pack/__init__.py": "",
    "src/pack/shapes.py": "class Square:\n    sides = 4\n    def measure(self):\n        self.cached = 1\n",
    "src/pack/use.py": "import os\nfrom .shapes import Square\nfrom pack import shapes as kinds\ndef run(): pass\n",
}


def test_a_module_knows_its_names_its_classes_members_and_where_imports_lead() -> None:
    found = modules(TEXTS, "src")

    assert found["src/pack/shapes.py"].top == {"Square"}
    assert found["src/pack/shapes.py"].members == {"sides", "measure", "cached"}
    use = found["src/pack/use.py"]
    assert use.imported == {"Square": "src/pack/shapes.py", "kinds": "src/pack/shapes.py"}
    assert use.imports == ["src/pack/shapes.py"]
    assert use.import_lines == {1, 2, 3}


@pytest.mark.parametrize(
    ("truth", "is_needed"),
    [
        ("return Square()", True),
        ("shape.measure()", True),
        ("measure()", False),
        ("shape.append(1)", False),
        ("shape.own()", False),
        ("shape.seen()", False),
    ],
)
def test_a_hole_needs_what_only_another_file_tells(truth: str, is_needed: bool) -> None:
    here = Module(members={"own"}, imported={"Square": "src/pack/shapes.py"})
    words = Counter(["seen", "seen", "Square", "measure", "append"])
    elsewhere = {"measure", "append", "own", "seen"}

    assert needed(truth, words, here, elsewhere) is is_needed
