"""What all panels share: they show a view, and draw only when what they show has changed."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.strip import Strip
from textual.visual import Visual

from ..state.run_view import RunView
from .row_widget import Row, Rows

Part = tuple[str, str]  # text and style


class Panel(Rows):
    """A titled box of text."""

    TITLE = ""

    def __init__(self, *, id: str) -> None:
        """Make an empty panel."""
        super().__init__(id=id)
        self.border_title = self.TITLE

    def show(self, view: RunView, now: float) -> None:
        """Show the view as it stands at `now`, in Unix seconds."""
        width = self.content_size.width
        if width > 0:
            self.paint(self.rows(view, now, width))

    def strip_of(self, row: Row) -> Strip:
        """Return a row; the look of a run is Textual's markup style."""
        return Visual.to_strips(self, Content.assemble(*row), self.size.width, 1, self.visual_style)[0]

    def rows(self, view: RunView, now: float, width: int) -> list[list[Part]]:
        """Return the rows of text, `width` columns each."""
        raise NotImplementedError


def spread(left: list[Part], right: list[Part], width: int) -> list[Part]:
    """Return `left` and `right` at the two ends of a row; the left gives way where both do not fit."""
    room = width - sum(cell_len(text) for text, _ in right)
    kept: list[Part] = []
    for text, style in left:
        part = text if cell_len(text) <= room else set_cell_size(text, max(0, room - 1)) + " " * (room > 0)
        kept.append((part, style))
        room -= cell_len(part)
    return [*kept, (" " * max(0, room), ""), *right]


def bar(share: float, width: int, style: str) -> list[Part]:
    """Return a bar of `width` columns, filled for `share` of 0 to 1, in half columns."""
    halves = round(max(0.0, min(1.0, share)) * width * 2)
    full, half = divmod(halves, 2)
    rest = width - full - half
    return [("━" * full + "╸" * half, style), ("─" * rest, "$rail")]
