"""``shardlight plan --svg`` beside a real engine: what it has allocated is drawn."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from lsp_server.cli.main import main
from tests.support.engine import RunningEngine

pytestmark = pytest.mark.real_model


def test_what_the_engine_allocated_is_beside_what_was_planned(engine: RunningEngine, tmp_path: Path) -> None:
    picture = tmp_path / "plan.svg"
    assert main(["plan", str(engine.spec.model_path), "--svg", str(picture)]) == 0
    description = ET.parse(picture).getroot().findtext("{http://www.w3.org/2000/svg}desc")  # noqa: S314 - our own
    assert description
    assert "RAM (" in description
    for what in ("weights", "cache", "buffers"):
        # Sizes are planned within a fiftieth of what is allocated.
        assert re.search(rf"Planned and measured {what}: [\d.]+ MB and [\d.]+ MB( \([+-][01]\.\d%\))?\.", description)
