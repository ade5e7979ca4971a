"""A terminal's picture as an SVG file that needs nothing from the net."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

WIDTH = 104

_THEME = TerminalTheme(
    background=(24, 26, 34),
    foreground=(214, 219, 229),
    normal=[
        (68, 74, 92),
        (240, 113, 120),
        (155, 209, 124),
        (242, 201, 110),
        (110, 168, 254),
        (198, 146, 233),
        (98, 206, 206),
        (214, 219, 229),
    ],
    bright=[
        (108, 116, 138),
        (255, 139, 143),
        (178, 227, 148),
        (255, 219, 141),
        (143, 189, 255),
        (216, 172, 246),
        (131, 226, 226),
        (240, 243, 248),
    ],
)

# The reader's own fixed-width font: a picture in a README must not fetch one. Single braces are for rich to fill in.
_FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<style>
.{unique_id}-matrix {{
    font: {char_height}px/{line_height}px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
    white-space: pre;
}}
.{unique_id}-title {{ font: bold 18px system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def recording_console() -> Console:
    """A console whose picture can be taken; it shows nothing itself."""
    return Console(
        record=True,
        # Not a terminal, but the picture is to look like one whatever this one is.
        file=Path(os.devnull).open("w", encoding="utf-8"),
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
        legacy_windows=False,
        width=WIDTH,
    )


def save_picture(console: Console, path: Path, title: str) -> None:
    """Write what a recording console has printed to an SVG file."""
    picture = console.export_svg(
        title=title, theme=_THEME, code_format=_FORMAT, font_aspect_ratio=0.602, unique_id="shardlight"
    )
    aside = path.with_name(f"{path.name}.new")
    aside.write_text(picture, encoding="utf-8")
    aside.replace(path)
