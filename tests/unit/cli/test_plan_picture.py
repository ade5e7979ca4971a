"""The picture of a plan: what is drawn, and that it stays so (golden files)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lsp_server.cli.plan_picture import Compared, Part, compared, devices, picture
from lsp_server.models.hardware import GB, Cpu, Gpu, Hardware
from lsp_server.models.planning.plan import DeviceUse, Plan, Wishes
from lsp_server.models.planning.speed import Prediction
from tests.support.planning import settings

GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"
GPU = Gpu("CUDA0", "A card <24 GB>", 24 * GB, 23 * GB, 0, 0, 0)
MACHINE = Hardware("a machine", Cpu("A processor", 8, (), 1, 50e9), 64 * GB, 50 * GB, (GPU,), 2.5e9)
PLAN = Plan(
    model="A model & its name",
    hardware="a machine",
    wishes=Wishes(memory_share=0.9, reserve_bytes=GB),
    settings=settings(),
    devices=(
        DeviceUse("CUDA0", GPU.description, 18 * GB, GB // 2, 2 * GB, 22 * GB),
        DeviceUse("CPU", "A processor", 20 * GB, 0, GB // 10, 44 * GB),
    ),
    predicted=Prediction(27.84, 421.3, ()),
    verdict="fits",
    reasons=(),
)
MEASURED = (
    Compared("weights", 38 * GB, 38 * GB),
    Compared("cache", GB // 2, GB // 2 + 10**7),
    Compared("buffers", 2_100_000_000, 1_900_000_000),
)
FROM_DISK = replace(
    PLAN,
    hardware="a small machine",
    verdict="from disk",
    devices=(DeviceUse("CPU", "A processor", 60 * GB, GB // 2, GB // 10, 40 * GB),),
)
SMALL = replace(MACHINE, name="a small machine", gpus=())


@pytest.mark.parametrize(
    ("name", "drawn"),
    [("plan.svg", picture(PLAN, MACHINE, MEASURED)), ("from-disk.svg", picture(FROM_DISK, SMALL))],
)
def test_it_is_drawn_as_it_was(name: str, drawn: str) -> None:
    """To change a picture on purpose: write ``drawn`` over the file, and look at it."""
    assert drawn == (GOLDEN / name).read_text(encoding="utf-8")


def test_every_byte_of_a_device_is_somewhere() -> None:
    gpu, ram, disk = devices(PLAN, MACHINE)
    assert [(part.what, part.n_bytes / GB) for part in gpu.parts] == [
        ("weights", 18),
        ("cache", 0.5),
        ("buffers", 2),
        ("free", 1.5),
        ("kept free", 1),
        ("others", 1),
    ]
    assert sum(part.n_bytes for part in gpu.parts) == GPU.total_bytes
    assert sum(part.n_bytes for part in ram.parts) == MACHINE.ram_total
    assert Part("saved states", "states", GB) in ram.parts
    assert (ram.name, disk.parts) == ("RAM", ())


def test_what_does_not_fit_is_on_the_disk() -> None:
    ram, disk = devices(FROM_DISK, SMALL)
    assert disk.parts[0].n_bytes == 60 * GB + GB // 2 + GB // 10 - 40 * GB
    assert ram.parts[0].n_bytes + disk.parts[0].n_bytes == 60 * GB
    assert sum(part.n_bytes for part in ram.parts) == SMALL.ram_total


def test_a_gpu_that_lives_in_the_ram_takes_of_it() -> None:
    unified = replace(MACHINE, gpus=(replace(GPU, unified=True),))
    plan = replace(
        PLAN, verdict="from disk", devices=(*PLAN.devices[:1], replace(PLAN.devices[1], budget_bytes=30 * GB))
    )
    (*_, disk) = devices(plan, unified)
    assert disk.parts[0].n_bytes == sum(device.n_bytes for device in plan.devices) - 30 * GB


def test_the_first_context_is_compared_with_its_share_of_the_plan() -> None:
    load: dict[str, Any] = {
        "settings": {"n_contexts": 2},
        "devices": [
            {"weights_bytes": 10, "kv_bytes": 8, "compute_bytes": 6},
            {"weights_bytes": 1, "kv_bytes": 2, "compute_bytes": 0},
        ],
        "measured": {"weights": 11, "kv": 6, "compute": 3},
    }
    assert compared(load) == (Compared("weights", 11, 11), Compared("cache", 5, 6), Compared("buffers", 3, 3))
    assert compared({**load, "measured": {}}) == ()


def test_it_says_in_words_what_it_shows() -> None:
    root = ET.fromstring(picture(PLAN, MACHINE, MEASURED))  # noqa: S314 - our own
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {description.attrib['id']}"  # type: ignore[union-attr]
    assert title is not None
    assert title.text == "Memory of A model & its name on a machine"
    assert description is not None
    assert description.text is not None
    for words in (
        "CUDA0 (A card <24 GB>): weights 18.0 GB, cache 500 MB",
        "500 MB and 510 MB (+2.0%)",
        "nothing is read",
    ):
        assert words in description.text


def test_all_text_and_all_bars_are_on_the_page() -> None:
    root = ET.fromstring(picture(PLAN, MACHINE, MEASURED))  # noqa: S314 - our own
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for rect in root.findall(f"{SVG}rect")[1:]:
        assert float(rect.attrib["x"]) + float(rect.attrib["width"]) <= width
        assert float(rect.attrib["y"]) + float(rect.attrib["height"]) <= height
    for text in root.findall(f"{SVG}text"):
        assert float(text.attrib["x"]) + 7 * len("".join(text.itertext())) <= width + 24
        assert float(text.attrib["y"]) <= height
