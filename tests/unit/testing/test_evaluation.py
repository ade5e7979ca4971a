"""Evaluating: what is asked, kept, gone on with and told."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lsp_server.errors import BackendUnavailableError, RefusedError
from lsp_server.inference.backend import ChatRequest, Chunk, StopReason
from lsp_server.inference.scripted import ScriptedBackend
from lsp_server.testing.evaluation import evaluate, missing, rates
from lsp_server.testing.problems import Problem
from lsp_server.testing.rates import wilson
from lsp_server.testing.sample_log import Conditions, Sample, SampleLog

RIGHT = "def f(x):\n    return x + 1\n"
WRONG = "def f(x):\n    return x\n"
TEST = "def check(candidate):\n    assert candidate(1) == 2\n"
PROBLEMS = [Problem(f"p/{n}", "def f(x):\n", "f", TEST) for n in range(3)]
CONDITIONS = Conditions("a model", "chat", 0.0, 64, 30.0, "00")


class Writer(ScriptedBackend):
    """Goes on with texts as well; what it was asked for is kept."""

    async def go_on(
        self, text: str, *, max_tokens: int, stop: Sequence[str] = (), temperature: float = 0.0, seed: int | None = None
    ) -> AsyncIterator[Chunk]:
        self.texts = [*getattr(self, "texts", []), (text, max_tokens, temperature, seed)]
        yield Chunk("    return x + 1\n", StopReason.STOP)


async def done(writer: Writer, log: SampleLog, n_samples: int = 1, conditions: Conditions = CONDITIONS) -> list[Sample]:
    work = missing(PROBLEMS, n_samples, log)
    return [sample async for sample in evaluate(writer, work, conditions, log)]


async def test_a_conversation_is_begun_so_that_the_answer_is_code(tmp_path: Path) -> None:
    writer = Writer(chats=[RIGHT, WRONG, RIGHT])
    log = SampleLog(tmp_path / "r.jsonl", CONDITIONS)

    samples = await done(writer, log)

    assert [sample.result for sample in samples] == ["passed", "AssertionError", "passed"]
    request = writer.seen[0]
    assert isinstance(request, ChatRequest)
    assert PROBLEMS[0].prompt.strip() in request.messages[0].content
    assert request.messages[-1].role == "assistant"
    assert request.messages[-1].content.endswith("```python\n")
    assert (request.max_tokens, request.temperature) == (64, 0.0)
    found = rates(PROBLEMS, 1, log)
    assert found.pass_at == {1: wilson(2, 3)}
    assert found.failures == {"AssertionError": 1}


async def test_a_text_is_gone_on_with(tmp_path: Path) -> None:
    conditions = replace(CONDITIONS, mode="completion", temperature=0.8)
    writer = Writer()
    log = SampleLog(tmp_path / "r.jsonl", conditions)

    assert all(sample.passed for sample in await done(writer, log, 2, conditions))
    assert [seed for _, _, _, seed in writer.texts] == [0, 0, 0, 1, 1, 1]
    assert {(text, n, t) for text, n, t, _ in writer.texts} == {("def f(x):\n", 64, 0.8)}


async def test_what_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with pytest.raises(BackendUnavailableError):
        await done(Writer(chats=[RIGHT, BackendUnavailableError("gone")]), SampleLog(path, CONDITIONS))
    # A line that was being written when it was killed.
    path.write_bytes(path.read_bytes() + b'{"task_id": "p/1", "samp')

    writer = Writer(chats=[WRONG])
    log = SampleLog(path, CONDITIONS)
    await done(writer, log)

    assert len(writer.seen) == 2
    assert rates(PROBLEMS, 1, log).pass_at == {1: wilson(1, 3)}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(line["task_id"], line["passed"]) for line in lines[1:]] == [("p/0", True), ("p/1", False), ("p/2", False)]
    assert not missing(PROBLEMS, 1, SampleLog(path, CONDITIONS))


async def test_problems_without_all_of_their_samples_do_not_count(tmp_path: Path) -> None:
    log = SampleLog(tmp_path / "r.jsonl", CONDITIONS)
    for task, number in (("p/0", 0), ("p/0", 1), ("p/1", 0)):
        log.add(Sample(task, number, "", task == "p/0" and not number, "no: x"))

    found = rates(PROBLEMS, 2, log)

    assert (found.problems, found.samples) == (1, 3)
    assert found.pass_at[1].value == 0.5
    assert found.pass_at[2].value == 1.0
    assert found.failures == {"no": 2}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"half a line", "is no file of results"),
        (b"\n", "is no file of results"),
        (b"not json\n", "is no file of results"),
        (b'{"task_id": "x"}\n', "is no file of results"),
    ],
)
def test_somebody_elses_file_is_left_alone(content: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(content)
    with pytest.raises(RefusedError, match=complaint):
        SampleLog(path, CONDITIONS)
    assert path.read_bytes() == content


def test_results_of_other_conditions_are_not_counted_together(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    SampleLog(path, CONDITIONS)
    for other in (replace(CONDITIONS, model="b"), replace(CONDITIONS, problems="01")):
        with pytest.raises(RefusedError, match="has results for another"):
            SampleLog(path, other)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="cannot be used"):
        SampleLog(tmp_path / "none" / "r.jsonl", CONDITIONS)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on the size of files")
def test_a_disk_that_is_nearly_full_is_noticed(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "r.jsonl"
    log = SampleLog(path, CONDITIONS)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # There is room for half of the next line.
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50, limits[1]))
    try:
        with pytest.raises(RefusedError, match="cannot be written"):
            log.add(Sample("p/0", 0, "x" * 100, True, "passed"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not SampleLog(path, CONDITIONS).done
