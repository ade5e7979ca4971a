from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lsp_server.cli.asking import progress, spec_of
from lsp_server.errors import ModelError
from lsp_server.settings.schema import Settings


def test_a_model_by_its_name_and_the_one_that_the_settings_name(tiny_deepseek4: Path) -> None:
    settings = Settings()
    models = replace(settings.models, completion="qwen2.5-coder-0.5b", assistant=str(tiny_deepseek4))
    settings = replace(settings, models=models)

    named = spec_of(str(tiny_deepseek4), settings, "completion")
    usual = spec_of("auto", settings, "assistant")

    assert named.model_path == usual.model_path == tiny_deepseek4
    # Planned for what they are used for: the second completes nothing.
    assert (named.role, usual.role) == ("completion", "assistant")
    # One engine for both: the same that an editor would have.
    assert named.name == usual.name


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nothing"):
        spec_of(str(tmp_path / "nothing.gguf"), Settings(), "completion")


def test_without_a_terminal_nothing_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as shown:
        shown.add_task("Working", total=1, figure="")
    assert capsys.readouterr() == ("", "")
