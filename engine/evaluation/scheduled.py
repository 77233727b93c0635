"""Evaluations on a schedule during a training, with early stopping and the check for overfitting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..config.specs import Every
from ..data.batches import Batches, batch_count
from ..errors import SettingError
from ..runs.events import EarlyStopping as EarlyStoppingEvent
from ..runs.events import Evaluated, Evaluating, Event, Warned
from .early_stopping import EarlyStopping
from .evaluator import Evaluator
from .overfitting import Overfitting

MetricValues = dict[str, float]
"""Metrics by name."""


class ScheduledEvaluation:
    """Evaluates on a schedule and emits the metrics. It does not save, step or stop the training."""

    def __init__(
        self,
        evaluator: Evaluator,
        batches: Batches,
        split: str,
        early_stopping: EarlyStopping,
        overfitting: Overfitting,
        emit: Callable[[Event], None],
        *,
        every: str,
        epochs: int,
    ) -> None:
        """Evaluate on `batches` of the data called `split`, `every` so often and at the end of `epochs`."""
        self.batches, self.split = batches, split
        self.early_stopping, self.overfitting = early_stopping, overfitting
        self.last: MetricValues = {}
        """Metrics of the last evaluation."""
        self.running = False
        """An evaluation is under way."""
        self._evaluator, self._emit = evaluator, emit
        self._reported_smaller = False
        self._every, self._epochs = Every.parse(every, what="--eval-every"), epochs

    def due(self, step: int, epoch: int, batch: int) -> bool:
        """Return whether to evaluate after `step` optimizer steps, `epoch` epochs and `batch` batches of the next."""
        if batch == 0 and epoch == self._epochs:
            return True
        if self._every.unit == "steps":
            return step % self._every.count == 0
        return batch == 0 and epoch % self._every.count == 0

    def measure(self, cause: str, position: dict[str, Any], between_batches: Callable[[], None]) -> MetricValues:
        """Return the metrics of the model as it is; `between_batches` may end the evaluation by raising."""
        self.last = self.measure_on(self.batches, self.split, cause, position, between_batches)
        return self.last

    def measure_on(
        self,
        batches: Batches,
        split: str,
        cause: str,
        position: dict[str, Any],
        between_batches: Callable[[], None],
    ) -> MetricValues:
        """Return the metrics on other `batches`, of the data called `split`."""
        self._emit(Evaluating(split=split, batches=batch_count(batches), cause=cause, **position))
        self.running = True
        try:
            metrics = self._evaluator.measure(batches, position["step"], between_batches, self._report_smaller_batches)
        finally:
            self.running = False
        self._emit(Evaluated(split=split, metrics=metrics, cause=cause, **position))
        return metrics

    def _report_smaller_batches(self, samples: int) -> None:
        """Say once that an evaluation found too little memory for its batches."""
        if not self._reported_smaller:
            self._reported_smaller = True
            message = f"The device has too little memory for the evaluation: it now takes {samples} samples at once."
            self._emit(Warned(kind="note", message=message))

    def try_batches(self, batches: Batches) -> None:
        """Measure on `batches` and tell nobody. Raises what the task's code raises."""
        self._evaluator.measure(batches, 0)

    def count(self, metrics: MetricValues, position: dict[str, Any]) -> tuple[float, bool]:
        """Update the early-stop counter; return the monitored value, and whether it is the best so far.

        Raises SettingError where the monitored metric is not among `metrics`.
        """
        stopping = self.early_stopping
        value = metrics.get(stopping.monitor)
        if value is None:
            raise SettingError(f"--monitor {stopping.monitor!r} is not measured: choose from {', '.join(metrics)}")
        is_best = stopping.update(value, position["step"])
        self._emit(EarlyStoppingEvent(patience=stopping.patience, **stopping.state_dict(), **position))
        return value, is_best

    def compare_losses(self, evaluated: float, trained: float, position: dict[str, Any]) -> None:
        """Warn once where the evaluated loss keeps rising while the mean training loss falls."""
        if self.overfitting.update(evaluated, trained, position["step"]):
            # Not the best step of early stopping: that may be of another metric.
            best = f"best was step {self.overfitting.lowest_step or self.early_stopping.best_step:,}"
            message = f"{best}, now the evaluated loss rises while the training loss falls"
            self._emit(Warned(kind="overfitting", message=message, **position))
