"""A plan as a picture: what each device's memory holds, planned and measured. Pure, plan → SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from lsp_server.models.files import human_size
from lsp_server.models.hardware import Hardware
from lsp_server.models.planning.budget import lacking_bytes
from lsp_server.models.planning.placement import CPU
from lsp_server.models.planning.plan import DeviceUse, Plan

_WIDTH, _MARGIN, _BAR = 800, 24, 26
_LINE, _CHAR = 20, 6.9  # pixels of a line of small text, and of a character in it
_LEAST = 2.0  # what is there is seen
_STYLE = """
  .page { fill: #ffffff } .ink { fill: #1f2328 } .dim { fill: #59636e } .edge { fill: none; stroke: #8c959f }
  .weights { fill: #3b7dd8 } .cache { fill: #d9822b } .buffers { fill: #7c4dbc } .states { fill: #2a9d8f }
  .free { fill: #e6eaef } .kept { fill: #c3cad3 } .others { fill: #98a2ae } .disk { fill: #c0392b }
  text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif }
  .head { font-size: 17px; font-weight: 600 } .name { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .ink { fill: #f0f6fc } .dim { fill: #9da7b3 } .edge { stroke: #656c76 }
    .free { fill: #262c36 } .kept { fill: #3d4450 } .others { fill: #5f6874 }
    .weights { fill: #4c8ff0 } .cache { fill: #e8964a } .buffers { fill: #a47ae0 } .states { fill: #3fb8a8 }
    .disk { fill: #e5534b }
  }
"""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a device's memory: what for, and how they are drawn (a class of the style)."""

    what: str
    kind: str
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Device:
    """A device's memory from one end to the other."""

    name: str
    description: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """Bytes of all devices: as they were planned, and as they were allocated. ``what`` is a class of the style, too."""

    what: str
    planned: int
    measured: int


def compared(load: Mapping[str, Any]) -> tuple[Compared, ...]:
    """Planned and measured sizes of an engine that runs, from ``plan`` of its ``/props``; none if it has not measured.

    Measured are the weights and the first context, so one context's share of the plan is compared.
    """
    measured = load.get("measured") or {}
    contexts = load["settings"]["n_contexts"]
    rows = (("weights", "weights", 1), ("cache", "kv", contexts), ("buffers", "compute", contexts))
    return tuple(
        Compared(what, sum(device[f"{key}_bytes"] for device in load["devices"]) // n, measured[key])
        for what, key, n in rows
        if key in measured
    )


def devices(plan: Plan, hardware: Hardware) -> tuple[Device, ...]:
    """Each device of a plan with all of its memory, and last the disk."""
    gpus = {gpu.name: gpu for gpu in hardware.gpus}
    found = []
    missing = _from_disk(plan, hardware)
    for use in plan.devices:
        gpu = gpus.get(use.name)
        total, available = (gpu.total_bytes, gpu.free_bytes) if gpu else (hardware.ram_total, hardware.ram_available)
        states = 0 if gpu else plan.wishes.reserve_bytes
        on_disk = missing if use.name == CPU else 0
        found.append(
            Device(
                "RAM" if use.name == CPU else use.name, use.description, _parts(use, total, available, states, on_disk)
            )
        )
    rate = f", {human_size(int(hardware.disk_read))}/s" if hardware.disk_read else ""
    parts = (Part("weights, read again and again", "disk", missing),) if missing else ()
    said = f"what does not fit{rate}" if missing else "nothing is read from it once the model is loaded"
    return (*found, Device("disk", said, parts))


def _from_disk(plan: Plan, hardware: Hardware) -> int:
    """Bytes of weights that the RAM has no room for."""
    lacking = lacking_bytes(plan, hardware) if plan.verdict == "from disk" else 0
    return min(plan.devices[-1].weights_bytes, lacking)


def _parts(use: DeviceUse, total: int, available: int, states: int, on_disk: int) -> tuple[Part, ...]:
    used = use.n_bytes - on_disk
    free = max(0, use.budget_bytes - used)
    kept = max(0, available - used - states - free)
    parts = (
        Part("weights", "weights", use.weights_bytes - on_disk),
        Part("cache", "cache", use.kv_bytes),
        Part("buffers", "buffers", use.compute_bytes),
        Part("saved states", "states", states),
        Part("free", "free", free),
        Part("kept free", "kept", kept),
        Part("others", "others", max(0, total - available)),
    )
    return tuple(part for part in parts if part.n_bytes > 0)


def picture(plan: Plan, hardware: Hardware, measured: Sequence[Compared] = ()) -> str:
    """The plan as an SVG, for light and dark pages.

    Args:
        measured: of an engine that runs the model; empty if none does.
    """
    rows = devices(plan, hardware)
    drawing = _Drawing()
    drawing.text(plan.model, "ink head", 28)
    speed = f"{plan.predicted.decode:.3g} tokens/s answering, {plan.predicted.prefill:.3g} reading"
    tokens = f"{plan.settings.n_ctx:,} tokens of context"
    drawing.text(f"on {plan.hardware}: {speed}, {tokens}", "dim", 22)
    for device in rows:
        drawing.gap(16)
        drawing.named(device.name, device.description)
        if device.parts:
            drawing.bar(device.parts)
            drawing.legend(device.parts)
    if measured:
        drawing.gap(16)
        drawing.named(
            "planned and measured", "the upper bar is planned, the lower one allocated by the engine that runs"
        )
        most = max(1, *(max(row.planned, row.measured) for row in measured))
        for row in measured:
            drawing.pair(row, most)
    return drawing.svg(f"Memory of {plan.model} on {plan.hardware}", _described(rows, measured))


def _described(rows: Sequence[Device], measured: Sequence[Compared]) -> str:
    """The picture in words, for those who do not see it."""
    sentences = []
    for device in rows:
        parts = ", ".join(f"{part.what} {human_size(part.n_bytes)}" for part in device.parts)
        sentences.append(f"{device.name} ({device.description}){': ' if parts else ''}{parts}.")
    sentences += [f"Planned and measured {row.what}: {_difference(row)}." for row in measured]
    return " ".join(sentences)


def _difference(row: Compared) -> str:
    apart = f"{(row.measured - row.planned) / row.planned:+.1%}" if row.planned else ""
    shown = f" ({apart})" if apart.strip("+-0.%") else ""
    return f"{human_size(row.planned)} and {human_size(row.measured)}{shown}"


class _Drawing:
    """Lines of a picture, from top to bottom."""

    def __init__(self) -> None:
        self._elements: list[str] = []
        self._y = _MARGIN / 2

    def gap(self, height: float) -> None:
        self._y += height

    def text(self, text: str, style: str, height: float) -> None:
        """A line of its own."""
        self._y += height
        self._put(_MARGIN, self._y - 4, f'<tspan class="{style}">{escape(text)}</tspan>')

    def named(self, name: str, description: str) -> None:
        """What the bar below is of."""
        self._y += _LINE
        said = f'<tspan class="ink name">{escape(name)}</tspan><tspan class="dim" dx="10">{escape(description)}</tspan>'
        self._put(_MARGIN, self._y - 2, said)
        self._y += 4

    def bar(self, parts: Sequence[Part]) -> None:
        """All parts side by side."""
        room = _WIDTH - 2 * _MARGIN
        x = float(_MARGIN)
        for part, width in zip(parts, _widths([part.n_bytes for part in parts], room), strict=True):
            self._rect(x, self._y, width, _BAR, part.kind)
            x += width
        self._rect(_MARGIN, self._y, room, _BAR, "edge")
        self._y += _BAR + 4

    def legend(self, parts: Sequence[Part]) -> None:
        """A mark, a name and a size for each part, on as many lines as they take."""
        x = float(_MARGIN)
        self._y += _LINE
        for part in parts:
            label = f"{part.what} {human_size(part.n_bytes)}"
            width = 16 + len(label) * _CHAR + 18
            if x + width - 18 > _WIDTH - _MARGIN and x > _MARGIN:
                x = float(_MARGIN)
                self._y += _LINE
            self._rect(x, self._y - 14, 10, 10, part.kind)
            self._put(x + 16, self._y - 5, f'<tspan class="ink">{escape(label)}</tspan>')
            x += width

    def pair(self, row: Compared, most: int) -> None:
        """Two bars of one scale, and their sizes."""
        left, room = _MARGIN + 70, _WIDTH - 2 * _MARGIN - 70 - 230
        self._put(_MARGIN, self._y + 17, f'<tspan class="ink">{escape(row.what)}</tspan>')
        for at, size in ((4, row.planned), (14, row.measured)):
            self._rect(left, self._y + at, max(_LEAST, room * size / most), 9, row.what)
        self._put(left + room + 12, self._y + 17, f'<tspan class="ink">{escape(_difference(row))}</tspan>')
        self._y += 28

    def svg(self, title: str, description: str) -> str:
        height = self._y + _MARGIN / 2
        size = f'viewBox="0 0 {_WIDTH} {height:g}" width="{_WIDTH}" height="{height:g}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title description">',
                f'<title id="title">{escape(title)}</title>',
                f'<desc id="description">{escape(description)}</desc>',
                f"<style>{_STYLE}</style>",
                f'<rect class="page" width="{_WIDTH}" height="{height:g}" rx="8"/>',
                *self._elements,
                "</svg>\n",
            ]
        )

    def _rect(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        self._elements.append(f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:g}"/>')

    def _put(self, x: float, y: float, content: str) -> None:
        self._elements.append(f'<text x="{x:.1f}" y="{y:.1f}">{content}</text>')


def _widths(sizes: Sequence[int], room: float) -> Iterator[float]:
    """Widths in proportion, but none so small that it is not seen."""
    total = sum(sizes) or 1
    small = [size * room / total < _LEAST for size in sizes]
    rest = sum(size for size, tiny in zip(sizes, small, strict=True) if not tiny) or 1
    left = room - _LEAST * sum(small)
    for size, tiny in zip(sizes, small, strict=True):
        yield _LEAST if tiny else left * size / rest
