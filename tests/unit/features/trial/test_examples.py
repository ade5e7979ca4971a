from __future__ import annotations

from pathlib import Path

from lsp_server.context.workspace import Workspace
from lsp_server.features.trial.examples import documented, made, of_the_project, shown_in, written
from lsp_server.testing.project import Project

CODE = '''
class Box:
    """A box.

    >>> # one for two
    >>> box = Box(2)
    >>> for n in (1, 2):
    ...     box.put(n)
    >>> box.held
    [1, 2]
    """

    def put(self, thing):
        r"""Put it.

        >>> Box().put('\\n')
        1
        >>> Box().put(

        """
'''


def test_examples_of_docstrings() -> None:
    assert documented(CODE) == [["box = Box(2)", "for n in (1, 2):\n    box.put(n)", "box.held"], ["Box().put('\\n')"]]
    assert documented("def f(:\n") == []
    assert documented('def f():\n    """\n    >>> f()\n  3\n    """\n') == []


def test_what_tests_do() -> None:
    answer = """\
import pytest

def test_put():
    '''It holds things.'''
    box = Box(2)
    assert box.put(1) == 1
    assert isinstance(box.held, list) and box.size > len(box.held)
    with pytest.raises(ValueError) as error:
        box.put(None)
    assert not box.put(3)
    assert box.is_full()
    for n in range(3):
        box.put(n)

class TestBox:
    def test_put(self):
        self.assertEqual(Box().put('a'), 1)

def test_broken_off():
    assert Box(
"""
    assert written(answer) == [
        [
            "box = Box(2)",
            "box.put(1)",
            "box.held",
            "box.size",
            "len(box.held)",
            "box.put(None)",
            "box.put(3)",
            "box.is_full()",
        ],
        ["Box().put('a')"],
    ]
    assert written("no code") == []


def test_objects_that_the_documentation_makes() -> None:
    code = '''
class Box:
    """
    >>> import string
    >>> big = Box(2)
    >>> big['a'] = 1
    >>> big.put(3)
    >>> big['b'] = 2

    Anything else than a box is made here:

    """

    def put(self):
        """
        >>> box = Box()
        """

    def size(self):
        """
        >>> Box(3).size()
        """
'''
    assert made(code, "Box", "box") == [
        ["import string", "big = Box(2)", "big['a'] = 1", "box = big"],
        ["box = Box()"],
    ]
    assert made(code, "Bag", "bag") == []


PAGE = """\
# Box

>>> import box
>>> box.Box(1)
<Box>

Then:

```python
from box import Box
it = Box(2)
it.put(1)
```

.. code-block:: python

    # Another
    for n in range(2):
        print(n)

```py
this is no Python
```

```python
>>> box.Box(3)
```
"""


def test_examples_of_a_page() -> None:
    assert shown_in(PAGE) == [
        ["import box", "box.Box(1)", "box.Box(3)"],
        ["from box import Box", "it = Box(2)", "it.put(1)", "for n in range(2):\n    print(n)"],
    ]
    assert shown_in("nothing") == [[], []]


def test_examples_of_a_project_those_that_have_the_words_first(tmp_path: Path) -> None:
    (tmp_path / "docs" / "guide").mkdir(parents=True)
    (tmp_path / "docs" / "guide" / "use.rst").write_text(">>> import box\n>>> box.opened('a')\n", encoding="utf-8")
    (tmp_path / "README.md").write_text(">>> import other\n", encoding="utf-8")
    (tmp_path / "box.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "LICENSE.txt").write_text(">>> no\n", encoding="utf-8")
    project = Project(tmp_path, tmp_path, Workspace((tmp_path,), lambda _path: None))
    assert of_the_project(project, ["opened", "box"]) == [
        ["import box", "box.opened('a')"],
        ["box = Box(2)", "for n in (1, 2):\n    box.put(n)", "box.held"],
        ["Box().put('\\n')"],
        ["import other"],
    ]
    (tmp_path / "docs" / "_build").mkdir()
    (tmp_path / "docs" / "_build" / "use.rst").write_text(">>> built\n", encoding="utf-8")
    (tmp_path / "README.md").write_bytes(b"```python\r\nshown(1)  # so\r\nother()\r\n```\r\n")
    assert ["shown(1)", "other()"] in of_the_project(project, [])
    assert ["built"] not in of_the_project(project, [])


def test_comments_are_no_part_of_an_example() -> None:
    code = 'def f():\n    """\n    >>> f(1)  # doctest: +SKIP\n    >>> x = 1; f(x)\n    """\n'
    assert documented(code) == [["f(1)", "x = 1", "f(x)"]]
