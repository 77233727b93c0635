"""The early-stop counter, and the best value so far."""

from __future__ import annotations

import math

from rich.cells import cell_len

from ..formatting import count, value
from ..state.run_view import RunView
from .panel import Panel, Part, bar, spread


class EarlyStopping(Panel):
    """How many evaluations went by without a better value, of how many are allowed."""

    TITLE = "early stopping"

    def rows(self, view: RunView, _now: float, width: int) -> list[list[Part]]:
        """Return the counter as a bar that fills, then the best value and where it was reached."""
        early = view.early
        if early is None:
            return [[("after the first evaluation", "$label")]]
        if early.patience:
            share = early.waited / early.patience
            style = "$bad" if share >= 0.9 else "$caution" if share >= 0.5 else "$good"
            counter: list[Part] = [(count(early.waited), "bold"), (f" of {count(early.patience)}", "$label")]
            rows = [spread([("waited ", "$label")], counter, width), bar(share, width, style)]
        else:
            rows = [spread([("waited ", "$label")], [(count(early.waited), "bold"), (" (no limit)", "$label")], width)]
        name = f"best {early.monitor} "
        place: list[Part] = [(value(early.best), "bold $good"), (f" at {count(early.best_step)}", "$label")]
        # The step is marked on the plot as well: better that than half a name.
        fits = cell_len(name) + sum(cell_len(text) for text, _ in place) <= width
        rows.append(spread([(name, "$label")], place if fits else place[:1], width))
        if (latest := view.latest(early.monitor)) is not None:
            difference = latest - early.best
            # Curves are kept in single precision: less than that is no difference.
            same = abs(difference) <= abs(early.best) * 1e-6
            change = "" if same or math.isnan(difference) else f" {'+' if difference > 0 else ''}{value(difference)}"
            now: list[Part] = [(value(latest), ""), (change, "$label")]
            fits = cell_len(name) - 1 + sum(cell_len(text) for text, _ in now) <= width
            rows.append(spread([(f"now {early.monitor} ", "$label")], now if fits else now[:1], width))
        return rows
