"""The title of a plot: its name, its curves, what the cursor reads, and what the marks mean."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from ..formatting import count, value
from ..plotting.layout import Color
from ..state.charts import Named, read
from .panel import Part

LINES = ("━", "╍", "┉", "─", "┄")  # as long as the dashes of a plot without colours


def legend(
    title: str,
    curves: Sequence[tuple[Named, Color]],
    cursor: int | None,
    signs: Sequence[tuple[str, str, Color]],
    width: int,
    dashed: bool = False,
) -> Content:
    """Return the title; what matters less is left out where `width` columns do not hold it."""
    parts: list[Part] = [(title, "")]
    if cursor is not None:
        parts.append((f"  at {count(cursor)}", "$chosen"))
    for number, ((name, curve), color) in enumerate(curves):
        words = name
        if cursor is not None:
            words = f"{name} {value(read(curve, cursor))}".strip()
        if words:
            parts += [(f"  {LINES[number % len(LINES)] if dashed else LINES[0]} ", _style(color)), (words, "$label")]
    if cursor is None:
        marks = [part for kind, sign, color in signs for part in ((f"  {sign} ", _style(color)), (kind, "$label"))]
        if marks and sum(cell_len(text) for text, _ in parts + marks) <= width:
            parts += marks
    return Content.assemble(*parts)


def _style(color: Color) -> str:
    red, green, blue = color
    return f"rgb({red},{green},{blue})"
