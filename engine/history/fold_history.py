"""The curves and the bests of one fold."""

from __future__ import annotations

import math
from typing import TypeVar

from ..runs import events as e
from .series import Dense, Sparse
from .step_times import Times

KEPT = 2000  # events of a kind
T = TypeVar("T")


class Fold:
    """The curves and the bests of one fold; a run without folds has a single one."""

    def __init__(self, began: float = 0.0) -> None:
        """Start empty, after `began` seconds of training other folds."""
        self.began = began
        self.train = Dense()
        self.evaluated: dict[tuple[str, str], Sparse] = {}  # by split and metric
        self.lr: list[Sparse] = []  # one each parameter group
        self.early: list[e.EarlyStopping] = []
        self.checkpoints: list[e.CheckpointSaved] = []
        self.warnings: list[e.Warned] = []
        self.resumes: list[int] = []  # steps that an engine went on from
        self.turns: list[int] = []  # steps at which the learning rate was said to change
        self.times = Times()

    def apply(self, event: e.Event, step: int) -> None:
        """Take in one event of this fold, which happened at `step`."""
        match event:
            case e.Steps():
                self.train.put(event.first, event.losses)
                self._set_lr(step, event.lr)
            case e.RunStarted():
                # Without a step to go on from it is a new beginning: all that is there is superseded.
                self.cut(-1 if event.resumed_from is None else event.resumed_from)
                if event.resumed_from and event.resumed_from not in self.resumes[-1:]:
                    self.resumes.append(event.resumed_from)
            case e.Evaluated():
                for metric, number in event.metrics.items():
                    self.evaluated.setdefault((event.split, metric), Sparse()).put(step, number)
            case e.EarlyStopping():
                _keep(self.early, event)
            case e.LearningRate():
                self._set_lr(step, event.lr)
                _keep(self.turns, step)
            case e.CheckpointSaved():
                _keep(self.checkpoints, event)
            case e.Warned():
                _keep(self.warnings, event)

    def cut(self, step: int) -> None:
        """Drop what lies beyond `step`: an engine that resumes there supersedes it."""
        self.train.cut(step)
        self.times.cut(step)
        for curve in (*self.evaluated.values(), *self.lr):
            curve.cut(step)
        self.resumes = [one for one in self.resumes if one <= step]
        self.turns = [one for one in self.turns if one <= step]
        self.evaluated = {key: curve for key, curve in self.evaluated.items() if curve.length}
        self.lr = [curve for curve in self.lr if curve.length]
        self.early = [event for event in self.early if (event.step or 0) <= step]
        self.checkpoints = [event for event in self.checkpoints if (event.step or 0) <= step]
        self.warnings = [event for event in self.warnings if (event.step or 0) <= step]

    def _set_lr(self, step: int, rates: list[float]) -> None:
        """Note the rates at `step`: where they change, and how long they hold."""
        while len(self.lr) < len(rates):
            self.lr.append(Sparse())
        for curve, rate in zip(self.lr, rates, strict=False):
            if curve.last is None or not math.isclose(curve.last, rate, rel_tol=1e-6):
                curve.turn(step, rate)
            else:
                curve.hold(step)


def _keep(found: list[T], new: T) -> None:
    """Append; of very many, every second of the older half is dropped: marks on an axis are then still close."""
    found.append(new)
    if len(found) > KEPT:
        del found[: KEPT // 2 : 2]
