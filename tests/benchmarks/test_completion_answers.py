from __future__ import annotations

from pathlib import Path

from benchmarks.completion.answers import Answer, Answers, Verdicts


def test_an_answer_is_applied_and_no_answer_changes_nothing() -> None:
    assert Answer("h", 4, 5, "f()", 1.0).applied("a = )\n") == "a = f()\n"
    assert Answer("h", 0, 4, "", 1.0).applied("a = \n") == "a = \n"


def test_a_run_goes_on_after_a_half_written_line(tmp_path: Path) -> None:
    path = tmp_path / "answers" / "ours.jsonl"
    first = Answers(path, resume=False)
    first.add(Answer("one", 1, 2, "text é", 3.0, "raw"))
    with path.open("a") as file:
        file.write('{"hole": "two", "sta')

    again = Answers(path, resume=True)

    assert "one" in again
    assert "two" not in again
    assert again["one"] == Answer("one", 1, 2, "text é", 3.0, "raw")
    assert again.kept(["one", "two"]) == 1
    assert first.kept(["one"]) == 0


def test_without_resuming_all_is_asked_anew(tmp_path: Path) -> None:
    Answers(tmp_path / "ours.jsonl", resume=False).add(Answer("one", 1, 2, "", 3.0))

    assert "one" not in Answers(tmp_path / "ours.jsonl", resume=False)


def test_verdicts_are_remembered(tmp_path: Path) -> None:
    Verdicts(tmp_path / "verdicts.jsonl").add("key", False)

    again = Verdicts(tmp_path / "verdicts.jsonl")

    assert again.get("key") is False
    assert again.get("other") is None
