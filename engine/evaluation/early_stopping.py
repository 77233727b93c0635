"""The best value of the monitored metric so far, and when to stop because it no longer improves."""

from __future__ import annotations

import math
from typing import Any


class EarlyStopping:
    """Counts the evaluations without a better value of the monitored metric."""

    def __init__(self, monitor: str, patience: int | None, *, lower_is_better: bool) -> None:
        """Stop after `patience` evaluations without improvement; with None only keep the best value."""
        self.monitor, self.patience, self.lower_is_better = monitor, patience, lower_is_better
        self.best = math.nan
        """The best value; NaN before the first finite one."""
        self.best_step = 0
        """The step of the best value."""
        self.waited = 0
        """Evaluations without improvement since `best_step`."""

    def update(self, value: float, step: int) -> bool:
        """Add the value of one evaluation, at `step`, and return whether it is the best. NaN is never better."""
        better = not math.isnan(value) and (
            math.isnan(self.best) or (value < self.best if self.lower_is_better else value > self.best)
        )
        if better:
            self.best, self.best_step, self.waited = value, step, 0
        else:
            self.waited += 1
        return better

    @property
    def exhausted(self) -> bool:
        """Whether the run should stop: the last `patience` evaluations brought no improvement."""
        return self.patience is not None and self.waited >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """Return the counter for a checkpoint."""
        return {"monitor": self.monitor, "best": self.best, "best_step": self.best_step, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load the result of `state_dict`. The best value of another metric is dropped: it is not comparable."""
        if state["monitor"] == self.monitor:
            self.best, self.best_step, self.waited = state["best"], state["best_step"], state["waited"]
