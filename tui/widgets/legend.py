"""The title of a plot: its name, its curves, the values at the cursor, and the meaning of the markers."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from ..formatting import count, value
from ..plotting.spec import Color
from ..state.charts import NamedSeries, value_at
from ..state.styled_text import StyledText

LINES = ("━", "╍", "┉", "─", "┄")  # samples of the dashes in a plot without colours


def legend(
    title: str,
    curves: Sequence[tuple[NamedSeries, Color]],
    cursor: int | None,
    markers: Sequence[tuple[str, str, Color]],
    width: int,
    dashed: bool = False,
) -> Content:
    """Return the title. The meaning of the `markers` (kind, character, colour) is left out if it exceeds `width` columns."""
    parts: list[StyledText] = [(title, "")]
    if cursor is not None:
        parts.append((f"  at {count(cursor)}", "$chosen"))
    for number, ((name, curve), color) in enumerate(curves):
        words = name
        if cursor is not None:
            words = f"{name} {value(value_at(curve, cursor))}".strip()
        if words:
            parts += [(f"  {LINES[number % len(LINES)] if dashed else LINES[0]} ", _style(color)), (words, "$label")]
    if cursor is None:
        meanings = [part for kind, sign, color in markers for part in ((f"  {sign} ", _style(color)), (kind, "$label"))]
        if meanings and sum(cell_len(text) for text, _ in parts + meanings) <= width:
            parts += meanings
    return Content.assemble(*parts)


def _style(color: Color) -> str:
    red, green, blue = color
    return f"rgb({red},{green},{blue})"
