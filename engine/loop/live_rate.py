"""The learning rate that a command sets in a loop of the user's own."""

from __future__ import annotations

import math
from typing import Any

from torch.optim import Optimizer

from ..training.schedulers import Scheduler, set_learning_rate


class LiveRate:
    """Sets the rate of the first optimizer, and notices where the script's own schedule sets it back."""

    def __init__(self, optimizer: Optimizer, scheduler: Any) -> None:
        """Change the rate of `optimizer`; `scheduler` is torch's, or None."""
        self._optimizer, self._scheduler = optimizer, scheduler
        self.scale = 1.0
        """The product of all changes by commands."""
        self._change: tuple[float, float] | None = None
        """The rates before and after the last command, until the script changes the rate."""

    @property
    def rates(self) -> list[float]:
        """The learning rate of each parameter group."""
        return [float(group["lr"]) for group in self._optimizer.param_groups]

    @property
    def watched(self) -> bool:
        """Whether `undone` may have something to tell."""
        return self._change is not None

    def set(self, lr: float) -> list[float]:
        """Set the first group's rate to `lr`; other groups and torch's scheduler keep their ratio to it."""
        before = self.rates[0]
        scheduler = Scheduler(self._scheduler, "epoch") if self._scheduler is not None else None
        set_learning_rate(self._optimizer, scheduler, lr)
        self.scale *= lr / before if before else 1.0
        self._change = (before, lr) if before and before != lr else None
        return self.rates

    def undone(self) -> str | None:
        """Return a warning where the script has set the rate back since the command, and forget the command."""
        assert self._change is not None
        (before, wanted), now = self._change, self.rates[0]
        if now == wanted:
            return None
        self._change = None
        by_scheduler = self._scheduler is not None and now == float(self._scheduler._last_lr[0])
        if by_scheduler or (now > 0 and abs(math.log(now / wanted)) <= abs(math.log(now / before))):
            return None
        return (
            f"the learning rate {wanted:g} was undone by the script's own schedule, which set {now:g}: write"
            ' group["lr"] = … * run.lr_scale in the script, or name its scheduler: stoker.Run(scheduler=…)'
        )
