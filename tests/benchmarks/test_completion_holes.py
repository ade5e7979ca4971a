from __future__ import annotations

import random

from benchmarks.completion.holes import Hole, Spot, dangerous, spots

TEXT = '''import os


def area(shape, scale=1):
    """The area.

    Of a shape.
    """
    # Squares are quick.
    if shape.square:
        side = shape.side * scale
        return side ** 2
    text = """several
    lines of text"""
    return shape.measure(scale, text)


LIMIT = compute(3)
'''


def found(kind: str, seed: int = 1) -> list[Spot]:
    rng = random.Random(seed)  # noqa: S311 - places need no secrecy
    return [spot for spot in spots(TEXT, rng) if spot.kind == kind]


def written(kind: str, seed: int = 1) -> list[str]:
    return [TEXT[spot.start : spot.end] for spot in found(kind, seed)]


def test_whole_lines_are_lines_of_code_in_functions_without_their_indentation() -> None:
    assert written("line") == [
        "if shape.square:",
        "side = shape.side * scale",
        "return side ** 2",
        "return shape.measure(scale, text)",
    ]


def test_a_block_is_the_body_of_a_statement_or_of_a_function_without_its_docstring() -> None:
    assert "side = shape.side * scale\n        return side ** 2" in written("block")
    assert all('"""The' not in block for block in written("block"))


def test_tails_and_spans_begin_and_end_where_tokens_do() -> None:
    words = {"if", "shape", ".", "square", ":", "side", "=", "*", "scale", "return", "**", "2", "measure"}
    for seed in range(20):
        for spot in found("tail", seed):
            assert TEXT[spot.end] == "\n"
            assert TEXT[TEXT.rfind("\n", 0, spot.start) + 1 : spot.start].strip()
        for spot in found("span", seed):
            inside = TEXT[spot.start : spot.end]
            assert inside == inside.rstrip()
            assert TEXT[spot.end] != "\n"
            if " " not in inside.strip() and inside.strip().isidentifier():
                assert inside.strip() in words | {"text"}


def test_a_hole_is_told_from_others_by_what_stood_there() -> None:
    one = Hole("p", "a.py", "line", 3, 7, "a, b")

    assert one.id == Hole("p", "a.py", "line", 3, 7, "a, b", ("t",)).id
    assert one.id != Hole("p", "a.py", "line", 3, 7, "b, a").id


def test_code_that_deletes_files_gets_no_holes() -> None:
    assert dangerous("shutil.rmtree(folder)")
    assert dangerous("import subprocess")
    assert not dangerous("self.removed = unlinked")
