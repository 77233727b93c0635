"""The panel of the learning rate."""

from __future__ import annotations

from ..formatting import plains
from ..state.run_view import RunView
from ..state.styled_text import StyledRow
from .panel import Panel, justify


class LearningRatePanel(Panel):
    """One rate, or one for each parameter group."""

    TITLE = "learning rate"

    def rows(self, view: RunView, _now: float, width: int) -> list[StyledRow]:
        """Return the current rate; and the first rate of the run if it differs and there is room for it."""
        if view.only_logs:
            return []
        first = plains([float(curve.values[0]) for curve in view.current.lr if curve.length])
        now = plains(view.lr)
        source = " (manual)" if view.lr_cause == "command" else ""
        room = width - len(now) - len(source)
        differs = bool(view.current.lr) and first != now
        right = next((words for words in (f"{first} at first", f"was {first}") if len(words) < room and differs), "")
        return [justify([(now, "bold"), (source, "$label")], [(right, "$label")], width)]
