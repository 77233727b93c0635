"""The learning rate now, and what set it."""

from __future__ import annotations

from ..format import plains
from ..view import RunView
from .panel import Panel, Part, spread


class LearningRate(Panel):
    """One rate, or one each parameter group."""

    def rows(self, view: RunView, _now: float, width: int) -> list[list[Part]]:
        """Return the rate, and where the run began where that differs."""
        first = [curve.values[0] for curve in view.now.lr if curve.length]
        asked = "asked" if view.lr_cause == "command" else ""
        rows = [spread([(plains(view.lr), "bold")], [(asked, "$label")], width)]
        start = plains([float(rate) for rate in first])
        if first and start != plains(view.lr):
            rows.append(spread([("at first ", "$label")], [(start, "")], width))
        elif len(view.lr) > 1:
            rows.append(spread([("groups ", "$label")], [(str(len(view.lr)), "")], width))
        return rows
