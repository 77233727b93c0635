"""The panels beside the plots: where there is no room for all of them, those of less importance give way."""

from __future__ import annotations

from textual.containers import Vertical

from ..state.run_view import RunView
from .panel import Panel

LEAST = 2  # rows of the last panel that are worth showing without the others


class Side(Vertical):
    """Panels in the order of their importance."""

    _left = 0

    def show(self, view: RunView, now: float) -> None:
        """Show the view, in as many panels as there is room for."""
        room, width = self.content_size.height, self.content_size.width
        panels = [child for child in self.children if isinstance(child, Panel)]
        for panel in panels:
            before, frame = room, panel.gutter
            rows = panel.rows(view, now, max(1, width - frame.width))
            panel.paint(rows)
            wanted = frame.height + len(rows)
            # The last one has what matters most at its top; and the first is there in any case.
            least = frame.height + LEAST if panel is panels[-1] else wanted
            fits = bool(rows) and (min(least, wanted) <= room or panel is panels[0])
            panel.set_class(not fits, "-crowded")
            room -= wanted if fits else 0
        self._leave(panels[-1], max(1, before))

    def _leave(self, panel: Panel, room: int) -> None:
        # Said again, it would lay the screen out again.
        if room != self._left:
            self._left = room
            panel.styles.max_height = room
