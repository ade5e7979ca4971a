"""A small function, what a scripted model says of it, and what comes of that: for tests over real editors and LSP."""

from __future__ import annotations

ADD = "def add(a, b):\n    return a + b\n"
# The same, before its body is written.
BODY = "def add(a, b):\n    <|>\n\n\nz = 1\n"
# Words of a documentation, one answer each, and the function with it.
WORDS = ["Add two numbers.", " One.", " Another.", " The sum."]
DOCUMENTED = '''def add(a, b):
    """Add two numbers.

    Args:
        a: One.
        b: Another.

    Returns:
        The sum.
    """
    return a + b
'''
# Behind the name of a test: one that passes, and one that does not.
TESTS = "():\n    assert add(1, 2) == 3\n\n\ndef test_add_wrong():\n    assert add(1, 2) == 4\n"
