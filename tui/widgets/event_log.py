"""The log: what the engine said and what was printed, newest at the bottom."""

from __future__ import annotations

import time

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ..view import RunView
from ..wording import Line

LEVELS = ("info", "good", "notice", "warning", "error", "printed")
LOUD = ("warning", "error", "printed")  # whose text has their colour too


class EventLog(ScrollView, can_focus=True):
    """Lines with their time; only the visible ones are ever rendered."""

    COMPONENT_CLASSES = {f"log--{level}" for level in LEVELS} | {"log--time"}

    def __init__(self, *, id: str) -> None:
        """Make an empty log."""
        super().__init__(id=id)
        self.border_title = "log"
        self._lines: list[Line] = []
        self._said = 0

    def show(self, view: RunView) -> None:
        """Show the view's lines; stays where a person scrolled to, else at the end."""
        if view.said == self._said:
            return
        at_end = self.scroll_offset.y >= self.max_scroll_y
        self._said = view.said
        self._lines = list(view.lines)
        width = max((cell_len(text) for _, _, text in self._lines[-500:]), default=0) + len("00:00:00 ▌ ")
        self.virtual_size = Size(width, len(self._lines))
        if at_end:
            self.scroll_end(animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one row of the screen."""
        left, top = self.scroll_offset
        width = self.scrollable_content_region.width
        if not 0 <= top + y < len(self._lines):
            return Strip.blank(width, self.rich_style)
        at, level, text = self._lines[top + y]
        clock = time.strftime("%H:%M:%S", time.localtime(at)) if at else " " * 8
        segments = [
            Segment(f"{clock} ", self.get_component_rich_style("log--time")),
            Segment("▌ ", self.get_component_rich_style(f"log--{level}")),
            Segment(text, self.get_component_rich_style(f"log--{level if level in LOUD else 'info'}")),
        ]
        return Strip(segments).crop(left, left + width).extend_cell_length(width, self.rich_style)
