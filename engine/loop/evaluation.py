"""The evaluation function of a user's loop: when it is due, what it returns, and what that means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn

from ..config.specs import Every
from ..errors import RequestError
from ..evaluation.early_stopping import EarlyStopping
from ..runs.events import EarlyStopping as EarlyStoppingEvent
from ..runs.events import Evaluated, Evaluating, Event
from ..runs.metric_direction import lower_is_better
from ..seeding import generators_kept
from ..training.progress import Progress


class LoopEvaluation:
    """Calls the user's evaluation function, and counts early stopping by what it returns."""

    def __init__(
        self,
        function: Callable[[], Mapping[str, Any]],
        modules: Callable[[], list[nn.Module]],
        emit: Callable[[Event], None],
        *,
        monitor: str,
        mode: str | None,
        patience: int | None,
        every: str | None,
    ) -> None:
        """Evaluate by `function`; `modules` returns the modules whose train and eval modes it must not change.

        `mode` is `min`, `max`, or None for the direction of the metric's name.
        """
        self._function, self._modules, self._emit = function, modules, emit
        lower = mode == "min" if mode else lower_is_better(monitor)
        self.early_stopping = EarlyStopping(monitor, patience, lower_is_better=lower)
        self.metrics: dict[str, float] = {}
        """The metrics of the last evaluation."""
        self._every = Every.parse(every, what="eval_every") if every else None

    def due(self, progress: Progress, *, epoch_ended: bool) -> bool:
        """Return whether `eval_every` asks for an evaluation between two batches."""
        if self._every is None:
            return False
        if self._every.unit == "steps":
            return progress.step // self._every.count > progress.evaluated // self._every.count
        return epoch_ended and progress.epoch % self._every.count == 0

    def measure(self, cause: str, position: dict[str, Any]) -> dict[str, float]:
        """Call the function without gradients, and return its metrics as numbers; every module keeps its mode."""
        modes = [(module, module.training) for module in self._modules()]
        self._emit(Evaluating(cause=cause, **position))
        # By hand at any time, so the training must draw as if there had been none.
        kept = generators_kept() if cause == "command" else nullcontext()
        try:
            with torch.no_grad(), kept:
                self.metrics = {name: float(value) for name, value in self._function().items()}
        finally:
            for module, training in modes:
                module.training = training
        self._emit(Evaluated(metrics=self.metrics, cause=cause, **position))
        return self.metrics

    def count(self, metrics: dict[str, float], position: dict[str, Any]) -> bool:
        """Update early stopping, and return whether the monitored metric is the best so far.

        Raises RequestError where the function does not return that metric.
        """
        stopping = self.early_stopping
        if stopping.monitor not in metrics:
            names = ", ".join(metrics) or "nothing"
            raise RequestError(
                f"the evaluation returns {names}, not {stopping.monitor!r}: set Run(monitor=…) to one of them"
            )
        is_best = stopping.update(metrics[stopping.monitor], position["step"])
        self._emit(EarlyStoppingEvent(patience=stopping.patience, **stopping.state_dict(), **position))
        return is_best
