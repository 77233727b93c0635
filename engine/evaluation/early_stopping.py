"""What is best so far, and when to stop waiting for something better."""

from __future__ import annotations

import math
from typing import Any


class EarlyStopping:
    """Counts the evaluations without a better value of the monitored metric."""

    def __init__(self, monitor: str, patience: int | None, *, lower_is_better: bool) -> None:
        """Stop after `patience` evaluations without a better one; None only keeps the best."""
        self.monitor, self.patience, self.lower_is_better = monitor, patience, lower_is_better
        self.best = math.nan
        self.best_step = 0
        self.waited = 0

    def update(self, value: float, step: int) -> bool:
        """Take in the value of one evaluation; says whether it is the best. NaN is never better."""
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
        """Say whether the patience is used up."""
        return self.patience is not None and self.waited >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"monitor": self.monitor, "best": self.best, "best_step": self.best_step, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned; a best value of another metric is not comparable and is dropped."""
        if state["monitor"] == self.monitor:
            self.best, self.best_step, self.waited = state["best"], state["best_step"], state["waited"]
