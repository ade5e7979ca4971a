from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_server.errors import ModelNotInstalledError
from lsp_server.inference import sources
from lsp_server.inference.remote_spec import RemoteSpec
from lsp_server.models.catalog import Catalog
from lsp_server.models.hardware import Hardware, load_profile
from lsp_server.models.store import ModelStore
from lsp_server.settings.schema import BackendSettings, EngineSettings, ModelSettings, Settings


class TestWantedModel:
    """On machines that are described; which models suit them is for the tests of planning."""

    @pytest.fixture
    def store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
        """An empty one, with the catalog that ships."""
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf"))
        return ModelStore(tmp_path / "store", Catalog.load(), [])

    @pytest.fixture
    def detected(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path | None]]:
        """What was asked for each time that the machine, a laptop, was looked at."""
        calls: list[Path | None] = []

        def detect(path: Path | None) -> Hardware:
            calls.append(path)
            return load_profile("laptop-16gb")

        sources._this_machine.cache_clear()
        monkeypatch.setattr(sources, "detect", detect)
        yield calls
        sources._this_machine.cache_clear()

    def install(self, store: ModelStore, *names: str) -> None:
        for name in names:
            folder = store.directory / name
            folder.mkdir(parents=True)
            for file in store.catalog.get(name).files:
                (folder / file.name).touch()

    def test_auto_is_what_this_machine_can_answer_with(self, store: ModelStore, detected: list[Path | None]) -> None:
        completion = sources.wanted_model(Settings(), store, "completion").id
        assert completion.startswith("qwen2.5-coder-")
        assert completion != "qwen2.5-coder-7b", "too slow on a laptop"
        self.install(store, "qwen2.5-coder-0.5b", "qwen2.5-coder-7b")
        assert sources.wanted_model(Settings(), store, "completion").id == "qwen2.5-coder-0.5b"
        assert len(detected) == 1, "it takes a moment, and the answer should not change"

    def test_the_context_that_is_wanted_counts(
        self, store: ModelStore, monkeypatch: pytest.MonkeyPatch, detected: list[Path | None]
    ) -> None:
        asked: list[tuple[str, int]] = []

        def suits(_model: object, role: str, _hardware: object, n_ctx: int) -> bool:
            asked.append((role, n_ctx))
            return True

        monkeypatch.setattr(sources, "suits", suits)
        settings = Settings(engine=EngineSettings(n_ctx=4096))
        assert sources.wanted_model(settings, store, "assistant").id == "deepseek-v4-flash"
        assert asked == [("assistant", 4096)]

    def test_a_name_is_taken_at_its_word_and_nothing_looked_at(
        self, store: ModelStore, detected: list[Path | None]
    ) -> None:
        settings = Settings(models=ModelSettings(completion="qwen2.5-coder-3b", assistant="qwen2.5-coder-14b"))
        assert sources.wanted_model(settings, store, "completion").id == "qwen2.5-coder-3b"
        assert sources.wanted_model(settings, store, "assistant").id == "qwen2.5-coder-14b"
        assert detected == []


class TestElsewhere:
    """A role that a server elsewhere serves."""

    SETTINGS = Settings(backend=BackendSettings(assistant_url=("http://gpu.example",), assistant_key_env="TEAM_KEY"))

    def test_which_role_is_where(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TEAM_KEY", "sesame")
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf"))
        monkeypatch.setattr(sources, "_this_machine", lambda: load_profile("laptop-16gb"))
        store = ModelStore(tmp_path, Catalog.load(), [])
        server, fallback = sources.sources(self.SETTINGS, store, "assistant")
        assert server() == RemoteSpec("assistant", "http://gpu.example", key="sesame")
        (engine,) = sources.sources(self.SETTINGS, store, "completion")
        for local in (fallback, engine):
            with pytest.raises(ModelNotInstalledError):
                local()

    def test_an_engine_that_is_not_wanted_stands_in_for_nobody(self, tmp_path: Path) -> None:
        urls = ("http://a.example", "http://b.example")
        settings = Settings(backend=BackendSettings(assistant_url=urls, local_fallback=False))
        found = sources.sources(settings, ModelStore(tmp_path, Catalog.load(), []), "assistant")
        assert [server() for server in found] == [RemoteSpec("assistant", url) for url in urls]

    @pytest.mark.parametrize(("url", "role"), [("", "completion"), ("http://gpu.example", "assistant")])
    def test_an_engine_is_planned_for_the_roles_that_it_has(
        self, url: str, role: str, tiny_deepseek4: Path, tmp_path: Path
    ) -> None:
        models = ModelSettings(completion=str(tiny_deepseek4), assistant=str(tiny_deepseek4))
        settings = Settings(models=models, backend=BackendSettings(completion_url=(url,)))
        store = ModelStore(tmp_path / "store", Catalog.load(), [])
        assert sources.engine_spec(settings, store, "assistant").role == role
