"""The log: events and printed output, newest at the bottom."""

from __future__ import annotations

import re
import time

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ..state.log_lines import Line
from ..state.run_view import RunView

LEVELS = ("info", "good", "notice", "warning", "error", "printed")
INDENT = len("00:00:00 ▌ ")
COLORED = ("warning", "error", "printed")  # levels whose text is coloured too


class EventLog(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines with their time; only the visible ones are rendered."""

    BINDINGS = [Binding(key, f"move('{key}')", show=False) for key in ("up", "down")]
    COMPONENT_CLASSES = {f"log--{level}" for level in LEVELS} | {"log--time"}

    def __init__(self, *, id: str) -> None:
        """Make an empty log."""
        super().__init__(id=id)
        self.border_title = "log"
        self._lines: list[Line] = []
        self._rows: list[Line] = []
        self._log_version = 0
        self._follow = True

    def show(self, view: RunView) -> None:
        """Show the view's lines; keeps a scrolled position, else follows the end."""
        if view.log_version != self._log_version:
            self._log_version = view.log_version
            self._lines = list(view.lines)
            self._wrap()

    def on_resize(self) -> None:
        """Wrap the lines for the new width."""
        self._wrap()

    def action_move(self, key: str) -> None:
        """Scroll by one row, by one page, or to an end; `key` is the name of the key."""
        page = max(1, self.scrollable_content_region.height)
        rows = {"up": -1, "down": 1, "pageup": -page, "pagedown": page}
        end = self.max_scroll_y if key == "end" else 0
        # Without an animation, which would send many frames.
        self.scroll_to(y=self.scroll_offset.y + rows[key] if key in rows else end, animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end while the log is scrolled to it."""
        super().watch_scroll_y(old_value, new_value)
        self._follow = new_value >= self.max_scroll_y

    def _wrap(self) -> None:
        width = self.scrollable_content_region.width
        self._rows = [row for line in self._lines for row in wrapped(line, max(8, width - INDENT))]
        # set_reactive skips the layout of the whole screen: the log's own size stays.
        self.set_reactive(EventLog.virtual_size, Size(width, len(self._rows)))
        self.vertical_scrollbar.window_virtual_size = len(self._rows)
        if self._follow:
            # Scroll at once, because a deferred scroll needs a second frame.
            self.scroll_end(animate=False, immediate=True, force=True)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one row of the visible part."""
        number = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        if not 0 <= number < len(self._rows):
            return Strip.blank(width, self.rich_style)
        at, level, text = self._rows[number]
        clock = time.strftime("%H:%M:%S", time.localtime(at)) if at else ""
        segments = [
            Segment(f"{clock:8} ", self.get_component_rich_style("log--time")),
            Segment("▌ ", self.get_component_rich_style(f"log--{level}")),
            Segment(text, self.get_component_rich_style(f"log--{level if level in COLORED else 'info'}")),
        ]
        return Strip(segments).crop(0, width).extend_cell_length(width, self.rich_style)


def wrapped(line: Line, width: int) -> list[Line]:
    """Return the line in rows of at most `width` columns; only the first has the time."""
    at, level, text = line
    if len(text) * 2 <= width or cell_len(text) <= width:
        return [line]
    first, *more = _rows(text, width)
    return [(at, level, first), *((0.0, level, part) for part in more)]


def _rows(text: str, width: int) -> list[str]:
    """Return the text wrapped at spaces; a word longer than a row is split."""
    rows, row = [], ""
    for word in re.findall(r" *[^ ]+", text):
        if cell_len(row) + cell_len(word) <= width:
            row += word
            continue
        if row:
            rows.append(row)
        *full, row = chop_cells(word.lstrip(" "), width)
        rows += full
    return [*rows, row]
