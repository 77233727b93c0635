"""The panels beside the plots: where there is no room for all of them, those of less importance give way."""

from __future__ import annotations

from textual.containers import Vertical

from ..view import RunView
from .panel import Panel

LEAST = 2  # rows of the last panel that are worth showing without the others


class Side(Vertical):
    """Panels in the order of their importance."""

    def show(self, view: RunView, now: float) -> None:
        """Show the view, in as many panels as there is room for."""
        room, width = self.content_size.height, self.content_size.width
        panels = list(self.query(Panel))
        for panel in panels:
            panel.show(view, now)
            frame = panel.gutter.height
            wanted = frame + len(panel.rows(view, now, max(1, width - panel.gutter.width)))
            # The last one has what matters most at its top; and the first is there in any case.
            least = frame + LEAST if panel is panels[-1] else wanted
            fits = min(least, wanted) <= room or panel is panels[0]
            panel.set_class(not fits, "-crowded")
            panel.styles.max_height = max(1, room) if panel is panels[-1] else None
            room -= wanted if fits else 0
