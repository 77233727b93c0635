"""The learning rate now, and what set it."""

from __future__ import annotations

from ..format import value, values
from ..view import RunView
from .panel import Panel, Part, spread


class LearningRate(Panel):
    """One rate, or one each parameter group."""

    TITLE = "learning rate"

    def rows(self, view: RunView, now: float, width: int) -> list[list[Part]]:
        """Return the rate, and where the run began where that differs."""
        first = [curve.values[0] for curve in view.now.lr if curve.length]
        asked = "asked" if view.lr_cause == "command" else ""
        rows = [spread([(values(view.lr), "bold")], [(asked, "$label")], width)]
        start = values([float(rate) for rate in first])
        if first and start != values(view.lr):
            rows.append(spread([("at first ", "$label")], [(start, "")], width))
        elif len(view.lr) > 1:
            rows.append(spread([("groups ", "$label")], [(value(len(view.lr)), "")], width))
        return rows
