"""Descriptions of machines: all shipped ones can be read, and what is wrong with one is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine.processor import FEATURES
from lsp_server.errors import HardwareProfileError
from lsp_server.models.hardware import GB, load_profile, parse_profile, parse_table, shipped_profiles

FULL = """
name = "A machine"

[cpu]
name = "A processor"
physical_cores = 8
features = ["avx2"]
bandwidth_gb_s = 51.2
numa_nodes = 2

[memory]
total_gb = 64
available_gb = 50

[disk]
read_gb_s = 3.5

[[gpus]]
name = "CUDA0"
description = "A GPU"
memory_gb = 24
free_gb = 20
bandwidth_gb_s = 936
tflops = 71
link_gb_s = 25

[[gpus]]
name = "MTL0"
description = "Another"
memory_gb = 48
bandwidth_gb_s = 400
tflops = 10
unified = true
"""


@pytest.mark.parametrize("name", shipped_profiles())
def test_shipped_profiles_are_sound(name: str) -> None:
    machine = load_profile(name)
    assert not machine.here
    assert not machine.cpu.measured
    assert machine.name
    assert set(machine.cpu.features) <= set(FEATURES)
    # Feature lists are in the order that detection gives them.
    assert list(machine.cpu.features) == [f for f in FEATURES if f in machine.cpu.features]
    assert 0.6 * machine.ram_total < machine.ram_available < machine.ram_total
    assert machine.disk_read > 0
    for gpu in machine.gpus:
        assert 0 < gpu.free_bytes < gpu.total_bytes
        assert gpu.link > 0
    assert len({gpu.name for gpu in machine.gpus}) == len(machine.gpus)


def test_the_rows_of_the_model_card_are_shipped() -> None:
    assert {"cpu-128gb", "rtx3090-80gb", "2x-rtx3090-nvlink", "h100-80gb"} <= set(shipped_profiles())


def test_units_are_converted() -> None:
    machine = parse_profile(FULL, "full.toml")
    assert (machine.cpu.physical_cores, machine.cpu.numa_nodes, machine.cpu.features) == (8, 2, ("avx2",))
    assert machine.cpu.bandwidth == 51.2 * GB
    assert (machine.ram_total, machine.ram_available) == (64 * GB, 50 * GB)
    assert machine.disk_read == 3.5 * GB
    first, second = machine.gpus
    assert (first.total_bytes, first.free_bytes) == (24 * GB, 20 * GB)
    assert (first.bandwidth, first.flops, first.link) == (936 * GB, 71e12, 25 * GB)
    assert not first.unified
    assert second.unified


def test_what_is_left_out_is_assumed() -> None:
    text = "\n".join(line for line in FULL.splitlines() if not line.startswith(("numa", "available", "free", "link")))
    machine = parse_profile(text.replace("[disk]\nread_gb_s = 3.5", ""), "short.toml")
    assert machine.cpu.numa_nodes == 1
    assert machine.ram_available == pytest.approx(0.9 * machine.ram_total)
    assert machine.disk_read == 0.0
    assert machine.gpus[0].free_bytes == pytest.approx(0.96 * 24 * GB)
    assert machine.gpus[0].link == 0.0


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('name = "A machine"', "", "name"),
        ('name = "A machine"', "name = 3", "name"),
        ('name = "A processor"', 'name = " "', "cpu.name"),
        ("physical_cores = 8", "physical_cores = 0", "cpu.physical_cores"),
        ("physical_cores = 8", 'physical_cores = "8"', "cpu.physical_cores"),
        ("physical_cores = 8", "physical_cores = true", "cpu.physical_cores"),
        ('features = ["avx2"]', 'features = "avx2"', "cpu.features"),
        ('features = ["avx2"]', "features = [2]", "cpu.features"),
        ("bandwidth_gb_s = 51.2", "bandwidth_gb_s = nan", "cpu.bandwidth_gb_s"),
        ("bandwidth_gb_s = 51.2", "bandwidth_gb_s = inf", "cpu.bandwidth_gb_s"),
        ("total_gb = 64", "", "memory.total_gb"),
        ("total_gb = 64", "total_gb = -64", "memory.total_gb"),
        ("available_gb = 50", "available = 50", "memory.available"),
        ("read_gb_s = 3.5", "read_gb_s = -1", "disk.read_gb_s"),
        ("[disk]", "[disks]", "disks"),
        ("memory_gb = 48", "memory_gb = 0", "gpus[1].memory_gb"),
        ("unified = true", "unified = 1", "gpus[1].unified"),
        ('description = "A GPU"', 'descripton = "A GPU"', "gpus[0].description"),
        ("tflops = 71", "tflops = 71\ncolour = 1", "gpus[0].colour"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_field(old: str, new: str, field: str) -> None:
    assert old in FULL
    with pytest.raises(HardwareProfileError) as wrong:
        parse_profile(FULL.replace(old, new, 1), "mine.toml")
    assert wrong.value.message.startswith(f"mine.toml: {field} ")
    assert wrong.value.hint


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('name = "x"', "cpu"),
        ('name = "x"\ncpu = 3', "cpu"),
        ('name = "x"\ngpus = 3\n' + FULL[FULL.index("[cpu]") : FULL.index("[[gpus]]")], "gpus"),
        ('name = "x"\ngpus = [3]\n' + FULL[FULL.index("[cpu]") : FULL.index("[[gpus]]")], "gpus"),
    ],
)
def test_tables_are_asked_for(text: str, field: str) -> None:
    with pytest.raises(HardwareProfileError, match=f"mine.toml: {field} must be a"):
        parse_profile(text, "mine.toml")


def test_what_is_no_toml_is_named() -> None:
    with pytest.raises(HardwareProfileError, match=r"mine\.toml is not TOML"):
        parse_profile("name = ", "mine.toml")


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(FULL, encoding="utf-8")
    assert load_profile(str(path)).name == "A machine"


@pytest.mark.parametrize("content", [None, b"\xff\xfe name"], ids=["missing", "not text"])
def test_what_is_no_profile_gets_the_names_of_those_there_are(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(HardwareProfileError, match=r"mine\.toml") as wrong:
        load_profile(str(path))
    assert "laptop-16gb" in wrong.value.hint


@pytest.mark.parametrize("name", ["~nobody-of-that-name/x.toml", "with\0nul", "", "."])
def test_strange_names_are_no_profiles_either(name: str) -> None:
    with pytest.raises(HardwareProfileError, match="is no hardware profile"):
        load_profile(name)


values = st.one_of(
    st.booleans(),
    st.integers(-5, 5),
    st.floats(),
    st.text("ab", max_size=2),
    st.lists(st.integers(0, 1), max_size=2),
)
fields = [line.partition(" = ")[0] for line in FULL.splitlines() if " = " in line]


@given(field=st.sampled_from(fields), value=values)
def test_any_value_in_any_field_is_a_machine_or_a_named_error(field: str, value: Any) -> None:
    text = "\n".join(f"{field} = {_toml(value)}" if x.startswith(f"{field} =") else x for x in FULL.splitlines())
    message = ""
    try:
        machine = parse_profile(text, "mine.toml")
    except HardwareProfileError as error:
        message = error.message
    else:
        assert machine.cpu.physical_cores >= 1
        assert all(gpu.total_bytes >= 0 for gpu in machine.gpus)
    assert not message or (message.startswith("mine.toml: ") and field in message)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    return str(value)


@pytest.mark.parametrize("name", ["CUDA0", "CPU"], ids=["twice", "the processor's"])
def test_two_devices_of_one_name(name: str) -> None:
    gpu = {"description": "A GPU", "memory_gb": 24, "bandwidth_gb_s": 1000, "tflops": 100}
    cpu = {"name": "A processor", "physical_cores": 4, "features": [], "bandwidth_gb_s": 50}
    table = {"name": "mine", "cpu": cpu, "memory": {"total_gb": 64}}

    with pytest.raises(HardwareProfileError, match=rf"CUDA0, {name}; each needs a name of its own"):
        parse_table({**table, "gpus": [{"name": "CUDA0", **gpu}, {"name": name, **gpu}]}, "mine.toml")
