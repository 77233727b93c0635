"""What is safe on disk."""

from __future__ import annotations

from ..formatting import count, duration
from ..state.run_view import RunView
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
        return failed + [_row(kind, event.step or 0, duration(now - event.at), width) for kind, event in newest.items()]


def _row(kind: str, step: int, age: str, width: int) -> list[Part]:
    """Return a row in which the age gives way: half a number would be another one."""
    left: list[Part] = [(f"{kind} ", "$label"), (f"step {count(step)}", "")]
    room = width - sum(len(text) for text, _ in left)
    words = next((words for words in (f" {age} ago", f" {age}") if len(words) <= room), "")
    return spread(left, [(words, "$label")], width)
