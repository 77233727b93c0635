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
        """Return the current rate, and the first rate of the run if it differs."""
        first = plains([float(curve.values[0]) for curve in view.current.lr if curve.length])
        now = plains(view.lr)
        source = " (manual)" if view.lr_cause == "command" else ""
        right = f"{first} at first" if view.current.lr and first != now else ""
        return [justify([(now, "bold"), (source, "$label")], [(right, "$label")], width)]
