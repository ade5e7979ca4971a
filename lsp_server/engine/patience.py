"""How long an engine stays: for whoever may ask next, but not for ever."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from lsp_server.engine import runtime
from lsp_server.engine.leases import Leases
from lsp_server.engine.service import EngineService, Phase

# After a failed load the engine answers /health with the reason for this long, so that whoever started it can read it.
_LINGER_S = 20.0
# When the last editor is closed its memory is wanted for something else; an editor that is restarted finds it again.
_ALONE_S = 300.0


@dataclass(frozen=True, slots=True)
class Patience:
    """When one engine leaves.

    Attributes:
        idle_s: seconds without a request; 0 for never.
        model_path: the model's file.
        model_state: ``runtime.state_of`` the file when it was opened.
    """

    idle_s: float
    model_path: Path
    model_state: str

    def reason_to_leave(self, service: EngineService, leases: Leases) -> str:
        """Why it is time to leave; empty if it is not."""
        if service.busy:
            return ""
        if service.leaving:
            return "Asked to make room"
        if service.phase is Phase.LOADING:
            return ""
        now = time.monotonic()
        if service.phase is Phase.FAILED:
            return "The load failed" if now - service.last_used > _LINGER_S else ""
        # One that is deleted goes on being served: the system keeps what is open.
        if runtime.state_of(self.model_path) not in ("", self.model_state):
            return "The model's file was replaced"
        if not self.idle_s:
            return ""
        if now - service.last_used > self.idle_s:
            return "Nobody has asked for a while"
        if leases.ended_at is not None and now - max(leases.ended_at, service.last_used) > _ALONE_S:
            return "The last editor is gone"
        return ""
