"""The learning rate now, and what set it."""

from __future__ import annotations

from ..formatting import plains
from ..state.run_view import RunView
from .panel import Panel, Part, spread


class LearningRate(Panel):
    """One rate, or one each parameter group."""

    TITLE = "learning rate"

    def rows(self, view: RunView, _now: float, width: int) -> list[list[Part]]:
        """Return the rate, and where the run began, where that differs."""
        first = plains([float(curve.values[0]) for curve in view.now.lr if curve.length])
        now = plains(view.lr)
        asked = " asked" if view.lr_cause == "command" else ""
        right = f"{first} at first" if view.now.lr and first != now else ""
        return [spread([(now, "bold"), (asked, "$label")], [(right, "$label")], width)]
