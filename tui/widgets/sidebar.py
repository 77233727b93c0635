"""The column of panels beside the plots; without room the less important panels are hidden.

To add a panel, write a subclass of `Panel` and yield it in `Dashboard.compose`, in the order of importance. The last panel
alone may be cut.
"""

from __future__ import annotations

from textual.containers import Vertical

from ..state.run_view import RunView
from .panel import Panel

MIN_ROWS = 2  # rows; the last panel may be cut down to this height, and is hidden below it


class Sidebar(Vertical):
    """Panels in the order of their importance: the order of the children."""

    _last_height = 0

    def show(self, view: RunView, now: float) -> None:
        """Show the view in as many panels as fit; `now` is in Unix seconds."""
        room, width = self.content_size.height, self.content_size.width
        panels = [child for child in self.children if isinstance(child, Panel)]
        for panel in panels:
            before, frame = room, panel.gutter
            rows = panel.rows(view, now, max(1, width - frame.width))
            panel.update_rows(rows)
            wanted = frame.height + len(rows)
            # The last panel may be cut, because its first rows matter most. The first panel is always shown.
            least = frame.height + MIN_ROWS if panel is panels[-1] else wanted
            fits = bool(rows) and (min(least, wanted) <= room or panel is panels[0])
            panel.set_class(not fits, "-crowded")
            height = len(rows) if panel is not panels[-1] else max(1, min(len(rows), room - frame.height))
            panel.count_hidden(len(rows) - height)
            if fits and panel.content_size.height != height:
                # Textual can lose a requested layout when another one runs at the same time: ask again.
                panel.request_layout()
            room -= wanted if fits else 0
        self._limit_height(panels[-1], max(1, before))

    def _limit_height(self, panel: Panel, room: int) -> None:
        # Setting the height triggers a layout, so set it only when it changed.
        if room != self._last_height:
            self._last_height = room
            panel.styles.max_height = room
