"""The panel of early stopping: the counter and the best value so far."""

from __future__ import annotations

import math

from rich.cells import cell_len

from ..formatting import count, value
from ..state.run_view import RunView
from ..state.styled_text import StyledRow
from .panel import Panel, bar, justify


class EarlyStoppingPanel(Panel):
    """The number of evaluations without improvement, and the patience."""

    TITLE = "early stopping"

    def rows(self, view: RunView, _now: float, width: int) -> list[StyledRow]:
        """Return the counter as a bar, then the best value with its step, and the newest value."""
        early = view.early_stopping
        if early is None:
            return [] if view.only_logs else [[("No evaluation yet.", "$label")]]
        if early.patience:
            share = early.waited / early.patience
            style = "$bad" if share >= 0.9 else "$caution" if share >= 0.5 else "$good"
            counter: StyledRow = [(count(early.waited), "bold"), (f" of {count(early.patience)}", "$label")]
            rows = [_counter(counter, width), bar(share, width, style)]
        else:
            limit: StyledRow = [(count(early.waited), "bold"), (" (no limit)", "$label")]
            rows = [_counter(limit, width)]
        name = f"best {early.monitor} "
        place: StyledRow = [(value(early.best), "bold $good"), (f" at {count(early.best_step)}", "$label")]
        # The plot marks the step too, so drop it before cutting the name.
        fits = cell_len(name) + sum(cell_len(text) for text, _ in place) <= width
        rows.append(justify([(name, "$label")], place if fits else place[:1], width))
        if (latest := view.latest(early.monitor)) is not None:
            difference = latest - early.best
            # Curves are float32: a smaller difference is rounding.
            same = abs(difference) <= abs(early.best) * 1e-6
            change = "" if same or math.isnan(difference) else f" {'+' if difference > 0 else ''}{value(difference)}"
            now: StyledRow = [(value(latest), ""), (change, "$label")]
            fits = cell_len(name) - 1 + sum(cell_len(text) for text, _ in now) <= width
            rows.append(justify([(f"now {early.monitor} ", "$label")], now if fits else now[:1], width))
        return rows


def _counter(counter: StyledRow, width: int) -> StyledRow:
    """Return the row of the counter, with the longest label that fits."""
    room = width - sum(cell_len(text) for text, _ in counter)
    label = next((label for label in ("no improvement for ", "no improvement ") if len(label) <= room), "waited ")
    return justify([(label, "$label")], counter, width)
