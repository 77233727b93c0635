"""The curves and events of one fold."""

from __future__ import annotations

import math
from typing import TypeVar

from ..runs import events as e
from .series import Points, PointSeries, StepSeries
from .step_times import StepTimes

KEPT = 2000  # events of one kind that are kept at most
T = TypeVar("T")


class FoldHistory:
    """The curves and events of one fold; a run without folds has a single one."""

    def __init__(self, start_seconds: float = 0.0) -> None:
        """Start empty, after `start_seconds` seconds of training other folds."""
        self.start_seconds = start_seconds
        self.train = StepSeries()
        """The training loss of each step."""
        self.evaluated: dict[tuple[str, str], PointSeries] = {}
        """The evaluated metrics by (split, metric)."""
        self.lr: list[PointSeries] = []
        """The learning rate, one curve for each parameter group."""
        self.early_stopping: list[e.EarlyStopping] = []
        self.checkpoints: list[e.CheckpointSaved] = []
        self.warnings: list[e.Warned] = []
        self.resumes: list[int] = []
        """The steps at which an engine resumed the run."""
        self.lr_changes: list[int] = []
        """The steps with a `learning_rate` event."""
        self.times = StepTimes()

    @property
    def losses(self) -> Points:
        """The training loss of every step: (steps int64 (n,), values float32 (n,)); NaN where no loss was recorded."""
        return self.train.points()

    def metric(self, split: str, name: str) -> Points:
        """Return an evaluated metric: (steps int64 (n,), values float32 (n,)). Raises KeyError for an unknown one."""
        return self.evaluated[split, name].points()

    def apply(self, event: e.Event, step: int) -> None:
        """Update the curves with one event of this fold, which happened at `step`."""
        match event:
            case e.Steps():
                self.train.put(event.first, event.losses)
                for name, values in event.scalars.items():
                    self._put_scalars(name, event.first, values)
                self._set_lr(step, event.lr)
            case e.Logged():
                for name, number in event.values.items():
                    self._put_scalars(name, step, [number])
            case e.RunStarted():
                # A run that restarts at step 0 supersedes all earlier events.
                self.truncate(-1 if event.resumed_from is None else event.resumed_from)
                if event.resumed_from and event.resumed_from not in self.resumes[-1:]:
                    self.resumes.append(event.resumed_from)
            case e.Evaluated():
                for metric, number in event.metrics.items():
                    self.evaluated.setdefault((event.split, metric), PointSeries()).put(step, number)
            case e.EarlyStopping():
                _append(self.early_stopping, event)
            case e.LearningRate():
                self._set_lr(step, event.lr)
                _append(self.lr_changes, step)
            case e.CheckpointSaved():
                _append(self.checkpoints, event)
            case e.Warned():
                _append(self.warnings, event)

    def truncate(self, step: int) -> None:
        """Drop everything after `step`: an engine that resumes there records it again."""
        self.train.truncate(step)
        self.times.truncate(step)
        for curve in (*self.evaluated.values(), *self.lr):
            curve.truncate(step)
        self.resumes = [one for one in self.resumes if one <= step]
        self.lr_changes = [one for one in self.lr_changes if one <= step]
        self.evaluated = {key: curve for key, curve in self.evaluated.items() if curve.length}
        self.lr = [curve for curve in self.lr if curve.length]
        self.early_stopping = [event for event in self.early_stopping if (event.step or 0) <= step]
        self.checkpoints = [event for event in self.checkpoints if (event.step or 0) <= step]
        self.warnings = [event for event in self.warnings if (event.step or 0) <= step]

    def _put_scalars(self, name: str, first: int, values: list[float | None]) -> None:
        """Add the values of a logged scalar from step `first` on; a step without one has no point."""
        series = self.evaluated.setdefault(("train", name), PointSeries())
        for step, value in enumerate(values, first):
            if value is not None:
                series.put(step, value)

    def _set_lr(self, step: int, rates: list[float]) -> None:
        """Record the rates at `step`: a new point where a rate changed, else the old point extended."""
        while len(self.lr) < len(rates):
            self.lr.append(PointSeries())
        for curve, rate in zip(self.lr, rates, strict=False):
            if curve.last is None or not math.isclose(curve.last, rate, rel_tol=1e-6):
                curve.set_from(step, rate)
            else:
                curve.extend_to(step)


def _append(found: list[T], new: T) -> None:
    """Append; over `KEPT` items drop every second one of the older half, so marks on an axis stay close."""
    found.append(new)
    if len(found) > KEPT:
        del found[: KEPT // 2 : 2]
