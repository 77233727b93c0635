"""The title of a plot: its name, its curves with their newest values or those at the cursor, and the markers' meaning."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from ..formatting import count, plain, value
from ..plotting.spec import Color
from ..state.charts import LEARNING_RATE, NamedSeries, newest_value, trend_of, value_at
from ..state.styled_text import StyledText

TRENDS = {-1: "↓", 0: "→", 1: "↑", None: ""}
LINES = ("━", "╍", "┉", "─", "┄")  # samples of the dashes in a plot without colours


def legend(
    title: str,
    caption: str,
    curves: Sequence[tuple[NamedSeries, Color]],
    cursor: int | None,
    markers: Sequence[tuple[str, str, Color]],
    width: int,
    dashed: bool = False,
) -> Content:
    """Return the title in `width` columns.

    Without room it leaves out the meaning of the `markers` (kind, character, colour) first, then the `caption`, then the
    newest values.
    """
    whole = f"{title} ({caption})" if caption else title
    parts = _curves(whole, curves, cursor, dashed, newest=True)
    if cursor is None and _width(parts) > width:
        parts = _curves(title, curves, cursor, dashed, newest=True)
    if cursor is None and _width(parts) > width:
        parts = _curves(whole, curves, cursor, dashed, newest=False)
    if cursor is None:
        meanings = [part for kind, sign, color in markers for part in ((f"  {sign} ", _style(color)), (kind, "$label"))]
        if meanings and _width(parts + meanings) <= width:
            parts += meanings
    return Content.assemble(*parts)


def _curves(
    title: str, curves: Sequence[tuple[NamedSeries, Color]], cursor: int | None, dashed: bool, *, newest: bool
) -> list[StyledText]:
    """Return the title and the curves: with the values at the cursor, else with the newest ones if `newest`."""
    parts: list[StyledText] = [(title, "")]
    shown = plain if title.startswith(LEARNING_RATE) else value
    if cursor is not None:
        parts.append((f"  at {count(cursor)}", "$chosen"))
    for number, ((name, curve), color) in enumerate(curves):
        words = name
        if cursor is not None:
            words = f"{name} {value(value_at(curve, cursor))}".strip()
        elif newest and (last := newest_value(curve)) is not None:
            words = f"{name} {shown(last)} {TRENDS[trend_of(curve)]}".strip()
        if words:
            parts += [(f"  {LINES[number % len(LINES)] if dashed else LINES[0]} ", _style(color)), (words, "$label")]
    return parts


def _width(parts: list[StyledText]) -> int:
    return sum(cell_len(text) for text, _ in parts)


def _style(color: Color) -> str:
    red, green, blue = color
    return f"rgb({red},{green},{blue})"
