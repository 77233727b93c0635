"""The base of all panels: a titled box of rows, drawn only where they change."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.strip import Strip
from textual.visual import Visual

from ..state.run_view import RunView
from ..state.styled_text import StyledRow
from .row_widget import Row, RowWidget


class Panel(RowWidget):
    """A titled box of text. A new panel implements `rows`, and is added to the sidebar in `Dashboard.compose`."""

    TITLE = ""

    def __init__(self, *, id: str) -> None:
        """Make an empty panel."""
        super().__init__(id=id)
        self.heading = self.border_title = self.TITLE
        """The title, without the number of rows that did not fit."""

    def show(self, view: RunView, now: float) -> None:
        """Show the view at `now`, in Unix seconds."""
        width = self.content_size.width
        if width > 0:
            self.update_rows(self.rows(view, now, width))

    def count_hidden(self, rows: int) -> None:
        """Say in the title that so many rows do not fit."""
        title = f"{self.heading} +{rows}" if rows else self.heading
        if title != self.border_title:  # setting it again would draw the panel again
            self.border_title = title

    def strip_of(self, row: Row) -> Strip:
        """Return a row for Textual; a span's style is Textual's markup."""
        return Visual.to_strips(self, Content.assemble(*row), self.size.width, 1, self.visual_style)[0]

    def rows(self, view: RunView, now: float, width: int) -> list[StyledRow]:
        """Return the rows of text for `width` columns; `now` is in Unix seconds."""
        raise NotImplementedError


def justify(left: StyledRow, right: StyledRow, width: int) -> StyledRow:
    """Return `left` and `right` at the two ends of a row; `left` is cut if both do not fit."""
    room = width - sum(cell_len(text) for text, _ in right)
    kept: StyledRow = []
    for text, style in left:
        part = text if cell_len(text) <= room else set_cell_size(text, max(0, room - 1)) + " " * (room > 0)
        kept.append((part, style))
        room -= cell_len(part)
    return [*kept, (" " * max(0, room), ""), *right]


def bar(share: float, width: int, style: str) -> StyledRow:
    """Return a progress bar of `width` columns for a `share` from 0 to 1, in half columns."""
    halves = round(max(0.0, min(1.0, share)) * width * 2)
    full, half = divmod(halves, 2)
    rest = width - full - half
    return [("━" * full + "╸" * half, style), ("─" * rest, "$rail")]
