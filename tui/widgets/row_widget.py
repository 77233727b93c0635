"""A widget of text rows; an unchanged row is neither rendered nor sent to the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

Span = tuple[str, Any]
"""Text, and a style that the subclass interprets."""
Row = Sequence[Span]


class RowWidget(Widget):
    """A widget of rows, each a sequence of spans. Subclasses interpret a span's style in `strip_of`."""

    DEFAULT_CSS = "RowWidget { height: auto; }"

    def __init__(self, *, id: str) -> None:
        """Make a widget without rows."""
        super().__init__(id=id)
        self._rows: Sequence[Row] = ()

    def update_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows; only the cells that differ are drawn again."""
        before, self._rows = self._rows, rows
        if len(before) != len(rows):
            self.request_layout()
            return
        pairs = enumerate(zip(before, rows, strict=True))
        regions = [Region(start, y, end - start, 1) for y, (old, new) in pairs for start, end in _changed(old, new)]
        if regions:
            self.refresh(*regions)

    def request_layout(self) -> None:
        """Ask for the height of the rows."""
        self.refresh(layout=True)

    def strip_of(self, row: Row) -> Strip:
        """Return a row for Textual."""
        raise NotImplementedError

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def render_line(self, y: int) -> Strip:
        """Return one row of the widget."""
        if y < len(self._rows):
            return self.strip_of(self._rows[y])
        return Strip.blank(self.size.width, self.rich_style)


def _changed(old: Row, new: Row) -> list[tuple[int, int]]:
    """Return the changed columns of a row as one range (start, end), or an empty list."""
    if old == new:
        return []
    before, after = _cells(old), _cells(new)
    if before is None or after is None:
        return [(0, max(sum(cell_len(text) for text, _ in row) for row in (old, new)))]
    length = max(len(before), len(after))
    same = [a == b for a, b in zip(before, after, strict=False)]
    if all(same) and len(before) == len(after):
        return []
    start = same.index(False) if False in same else len(same)
    end = length - same[::-1].index(False) if len(before) == len(after) else length
    return [(start, end)]


def _cells(row: Row) -> list[Span] | None:
    """Return each cell's character and style; None if a character is not exactly one cell wide."""
    if not all(text.isascii() or cell_len(text) == len(text) for text, _ in row):
        return None
    return [(character, style) for text, style in row for character in text]
