"""The panel of the checkpoints on disk."""

from __future__ import annotations

from ..formatting import count, duration
from ..state.run_view import RunView
from ..state.styled_text import StyledRow
from .panel import Panel, justify


class CheckpointPanel(Panel):
    """The newest checkpoint of each kind, and its age."""

    TITLE = "checkpoints"

    def rows(self, view: RunView, now: float, width: int) -> list[StyledRow]:
        """Return one row for each kind."""
        newest = {event.kind: event for event in view.current.checkpoints}
        failed: list[StyledRow] = [[("the last save failed", "bold $bad")]] if view.save_failed else []
        if not newest and view.only_logs:
            return failed
        if not newest:
            return failed or [[("none yet", "$label")]]
        return failed + [_row(kind, event.step or 0, duration(now - event.at), width) for kind, event in newest.items()]


def _row(kind: str, step: int, age: str, width: int) -> StyledRow:
    """Return one row. If the panel is too narrow, the age is left out, because a truncated number would mislead."""
    left: StyledRow = [(f"{kind} ", "$label"), (f"step {count(step)}", "")]
    room = width - sum(len(text) for text, _ in left)
    words = next((words for words in (f" {age} ago", f" {age}") if len(words) <= room), "")
    return justify(left, [(words, "$label")], width)
