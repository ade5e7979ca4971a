"""What the settings want for each role: a server elsewhere, or a model, and whether that is here."""

from __future__ import annotations

from functools import cached_property

from lsp_server.errors import ShardlightError
from lsp_server.inference.launcher import EngineSpec
from lsp_server.inference.remote_spec import is_remote, remote_host
from lsp_server.inference.sources import Source, engine_spec, sources, wanted_model
from lsp_server.models.catalog import Role
from lsp_server.models.reference import ModelRef
from lsp_server.models.store import ModelStore, store_from
from lsp_server.settings.schema import Settings


class Wanted:
    """Settings, as far as they say who answers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def store(self) -> ModelStore:
        """Where the models of this machine are."""
        models = self._settings.models
        return store_from(models.directory, registry_mirror=models.registry_mirror)

    def is_remote(self, role: Role) -> bool:
        """Whether a server elsewhere serves a role."""
        return is_remote(self._settings, role)

    def host(self, role: Role) -> str:
        """See ``remote_host``."""
        return remote_host(self._settings, role)

    def sources(self, role: Role) -> tuple[Source, ...]:
        """See ``sources.sources``. They go by the settings' names: `auto` may mean another model after a download."""
        return sources(self._settings, self.store, role)

    def model(self, role: Role) -> ModelRef:
        """The model of this machine; may take a moment.

        Raises:
            UnknownModelError: the name means nothing.
        """
        return wanted_model(self._settings, self.store, role)

    def model_name(self, role: Role) -> str:
        """The name of the model of this machine; empty where the settings name none that is known."""
        try:
            return self.model(role).id
        except ShardlightError:
            return ""

    def engine(self, role: Role) -> EngineSpec:
        """The engine of this machine.

        Raises:
            ModelError: the model is unknown, not installed or not usable.
        """
        return engine_spec(self._settings, self.store, role)

    def is_here(self, role: Role) -> bool:
        """Whether nothing has to be downloaded first."""
        if self.is_remote(role):
            return True
        try:
            return self.store.find(self.model(role)) is not None
        except ShardlightError:
            return False
