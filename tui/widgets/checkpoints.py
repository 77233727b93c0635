"""What is safe on disk."""

from __future__ import annotations

from ..format import count, duration
from ..view import RunView
from .panel import Panel, Part, spread


class Checkpoints(Panel):
    """The newest checkpoint of each kind, and how old it is."""

    TITLE = "checkpoints"

    def rows(self, view: RunView, now: float, width: int) -> list[list[Part]]:
        """Return a row for each kind."""
        newest = {event.kind: event for event in view.now.checkpoints}
        failed: list[list[Part]] = [[("the last save failed", "bold $bad")]] if view.save_failed else []
        if not newest:
            return failed or [[("none yet", "$label")]]
        return failed + [
            spread(
                [(f"{kind} ", "$label"), (f"step {count(event.step or 0)}", "")],
                [(f" {duration(now - event.at)} ago", "$label")],
                width,
            )
            for kind, event in newest.items()
        ]
