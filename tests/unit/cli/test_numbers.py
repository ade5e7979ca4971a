"""Numbers that a command cannot be told."""

from __future__ import annotations

import argparse

import pytest

from lsp_server.cli.main import main
from lsp_server.cli.numbers import whole


def test_bounds_belong_to_what_may_be_said() -> None:
    port = whole("port", 0, 65535)
    assert [port(text) for text in ("0", "2087", "65535")] == [0, 2087, 65535]
    assert whole("number of layers", -1)("-1") == -1


@pytest.mark.parametrize("text", ["", "-1", "65536", "1.5", "many", " 1", "1_0", "\u0663", "1" * 5000])
def test_anything_else_is_told_with_the_bounds(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no port from 0 to 65535"):
        whole("port", 0, 65535)(text)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("engine run --n-ctx=0", "--n-ctx: '0' is no number of tokens from 1 on"),
        ("engine run --n-gpu-layers=-2", "is no number of layers from -1 on"),
        ("engine run --n-threads=-3", "is no number of threads from 0 to 512"),
        ("engine run --memory-percent=0", "is no percentage from 1 to 100"),
        ("engine run --checkpoint-mb=-1", "is no number of MB from 0 on"),
        ("engine run --port=99999", "is no port from 0 to 65535"),
        ("engine run --idle-minutes=-1", "is no number of minutes from 0 on"),
        ("serve --tcp --port=99999", "is no port from 0 to 65535"),
        ("eval a.jsonl --samples=0", "is no number from 1 on"),
        ("stats --days=0", "is no number of days from 1 on"),
    ],
)
def test_commands_refuse_what_makes_no_sense(
    arguments: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments.split())
    assert complaint in capsys.readouterr().err
