"""Runs the scenario files beside it; README.md says how they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from lsp_server.errors import RefusedError
from lsp_server.features.bug_hints import find_bugs
from lsp_server.features.docstring import write_class_docstring, write_docstring, write_missing_docstrings
from lsp_server.features.explain import explain
from lsp_server.features.inline_completion import Cursor, Effort, complete
from lsp_server.features.simplify import simplify
from lsp_server.features.types import find_class, find_file
from lsp_server.features.unit_tests import write_unit_tests
from lsp_server.inference.backend import ScoreRequest
from lsp_server.inference.scripted import ScriptedBackend
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit, apply_edits
from tests.support.cursor import cursor
from tests.support.features import PROMPTS, FakeBench, bench, limited, target_of, tools_of
from tests.support.scores import expecting

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*/*.txt"))
SECTION = re.compile(r"^-- (\w+) --\n", re.MULTILINE)
EDITS = {"docstring": write_docstring, "simplify": simplify}
WIDER: dict[str, tuple[Any, Any]] = {
    "class_docstring": (find_class, write_class_docstring),
    "missing_docstrings": (find_file, write_missing_docstrings),
}


@dataclass(frozen=True)
class Scenario:
    """A scenario file, read."""

    settings: dict[str, str]
    sections: dict[str, str]
    answers: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> Scenario:
        about, *parts = SECTION.split(path.read_bytes().decode("utf-8"))
        assert about.strip(), "a scenario says what it shows"
        names, texts = parts[::2], parts[1::2]
        assert set(names) <= {"settings", "source", "answer", "existing", "run", "result", "message", "knows"}
        sections = {name: text for name, text in zip(names, texts, strict=True) if name != "answer"}
        settings = dict(line.split(": ", 1) for line in sections.pop("settings").splitlines())
        known = {"action", "language", "newline", "max_tokens", "style", "framework", "file", "test_file", "module"}
        assert set(settings) <= known
        if settings.get("newline") == "crlf":
            for name in ("source", "existing", "result", "knows"):
                if name in sections:
                    sections[name] = sections[name].replace("\n", "\r\n")
        answers = tuple(text.removesuffix("\n") for name, text in zip(names, texts, strict=True) if name == "answer")
        return cls(settings, sections, answers)

    @property
    def language(self) -> str:
        return self.settings["language"]

    @property
    def expected(self) -> str | None:
        """The result; None for "same"."""
        result = self.sections["result"]
        return None if result.strip() == "same" else result

    def backend(self) -> ScriptedBackend:
        if "max_tokens" in self.settings:
            return limited(int(self.settings["max_tokens"]), *self.answers)
        scores = expecting(self.sections.get("knows", ""))
        return ScriptedBackend(infills=self.answers, chats=self.answers, scores=scores)

    def bench(self) -> FakeBench:
        words = [line.split(" ", 2) for line in self.sections.get("run", "").splitlines()]
        return bench(
            passed=tuple(" ".join(line[1:]) for line in words if line[0] == "passed"),
            failed={line[1]: line[2] for line in words if line[0] == "failed"},
            trouble=next((" ".join(line[1:]) for line in words if line[0] == "trouble"), ""),
            existing=self.sections.get("existing"),
            framework=self.settings.get("framework", "pytest"),
            source=self.settings.get("file", "calc.py"),
            test_file=self.settings.get("test_file", "tests/test_calc.py"),
            module=self.settings.get("module", "calc"),
        )


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_scenario(path: Path) -> None:
    scenario = Scenario.read(path)
    backend = scenario.backend()
    if "result" not in scenario.sections:
        with pytest.raises(RefusedError) as caught:
            await outcome(scenario, backend)
        assert str(caught.value).startswith(scenario.sections["message"].strip())
    else:
        assert await outcome(scenario, backend) == scenario.expected
    asked = [request for request in backend.seen if not isinstance(request, ScoreRequest)]
    assert len(asked) == len(scenario.answers), "the model is asked once for each answer"


async def outcome(scenario: Scenario, backend: ScriptedBackend) -> str | None:
    """What the ``result`` section shows."""
    action, source = scenario.settings["action"], scenario.sections["source"]
    if action == "complete":
        return await completed(source, scenario.language, backend)
    on = scenario.bench()
    tools = replace(tools_of(backend=backend, bench=on), docstring_style=scenario.settings.get("style", "auto"))
    if action in WIDER:
        find, write = WIDER[action]
        text, offset = cursor(source)
        wider = find(Snapshot.open(text, scenario.language), offset, PurePosixPath("calc.x"))
        return apply_edits(text, (await write(wider, tools)).edits)
    target = target_of(source, scenario.language)
    text = target.snapshot.text
    if action == "explain":
        return (await explain(target, tools)).markdown
    if action == "find_bugs":
        hint = await find_bugs(target, tools)
        if hint is None:
            return None
        assert hint.message == scenario.sections["message"].strip()
        at = text.index(hint.function_text)
        return text[:at] + apply_edits(hint.function_text, hint.edits) + text[at + len(hint.function_text) :]
    if action == "unit_tests":
        edit = await write_unit_tests(target, tools)
        assert edit.path == (None if on.site.path == on.site.source else on.site.path)
        return apply_edits(edit.before if edit.path else text, edit.edits)
    return apply_edits(text, (await EDITS[action](target, tools)).edits)


async def completed(marked: str, language: str, backend: ScriptedBackend) -> str | None:
    """The document with the suggestion in it."""
    text, offset = cursor(marked)
    cursor_ = Cursor(Snapshot.open(text, language), offset)
    suggestion = await complete(cursor_, backend, Effort(96, in_text=True), PROMPTS)
    return suggestion and apply_edits(text, [TextEdit(offset, offset + suggestion.replaces, suggestion.text)])


def test_there_are_scenarios_of_every_action() -> None:
    actions = {Scenario.read(path).settings["action"] for path in FILES}
    assert actions == {"complete", "unit_tests", "find_bugs", "simplify", "explain", "docstring", *WIDER}
