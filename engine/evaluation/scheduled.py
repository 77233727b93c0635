"""When to evaluate, and who learns of it: the schedule, the early-stop counter, the best checkpoint."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..config.specs import Every
from ..data import factory as data
from ..data.batches import Batches
from ..errors import SettingError
from ..runs.events import EarlyStopping as EarlyStoppingEvent
from ..runs.events import Evaluated, Evaluating, Warned
from ..runtime.command_handler import Ended
from ..runtime.loss_log import SPEAK
from .early_stopping import EarlyStopping
from .evaluator import Evaluator, length
from .overfitting import Overfitting

if TYPE_CHECKING:
    from ..training.trainer import Trainer


class Examiner:
    """Evaluates a trainer's model; its training state is left as it was."""

    def __init__(self, trainer: Trainer, evaluator: Evaluator) -> None:
        """Serve `trainer`. Raises SettingError where the monitored metric is not measured."""
        task, settings = trainer.task, trainer.settings
        self._trainer, self._evaluator = trainer, evaluator
        self.watched = "val" if task.val is not None else "test"
        watched = task.val if task.val is not None else task.test
        self.batches = data.evaluation_batches(watched, settings, trainer.device, task)
        evaluator.metrics.check(settings.monitor)
        lower = evaluator.metrics.lower_is_better(settings.monitor)
        self.early_stopping = EarlyStopping(settings.monitor, settings.patience, lower_is_better=lower)
        self.overfitting = Overfitting()
        self.evaluating: str | None = None
        """The cause of the evaluation under way."""
        self.last: dict[str, float] = {}
        """The metrics of the last evaluation."""
        self._every = Every.parse(settings.eval_every, what="--eval-every")

    def due(self) -> bool:
        """Say whether an evaluation is due at this step, and was not made yet."""
        progress, every = self._trainer.progress, self._every
        if progress.step == progress.evaluated or self._trainer.window:
            return False
        if progress.batch == 0 and progress.epoch == self._trainer.settings.epochs:
            return True
        if every.unit == "steps":
            return progress.step % every.count == 0
        return progress.batch == 0 and progress.epoch % every.count == 0

    def evaluate_on_schedule(self) -> None:
        """Evaluate, and let everything that decides by it learn of it. Raises Ended where the patience is used up."""
        trainer, stopping = self._trainer, self.early_stopping
        progress = trainer.progress
        values = self.evaluate("schedule")
        value = values.get(stopping.monitor)
        if value is None:
            raise SettingError(f"--monitor {stopping.monitor!r} is not measured; there are {', '.join(values)}")
        better = stopping.update(value, progress.step)
        progress.evaluated = progress.step
        trainer.say(EarlyStoppingEvent(patience=stopping.patience, **stopping.state_dict(), **trainer.place))
        trainer.stepped("evaluation", value)
        if self.overfitting.update(values["loss"], trainer.losses.take_mean()):
            best = f"best was step {stopping.best_step:,}"
            message = f"{best}, now the evaluated loss rises while the training loss falls"
            trainer.say(Warned(kind="overfitting", message=message, **trainer.place))
        if better:
            trainer.keeper.hold_best()
            trainer.keeper.tend()
        self.stop_early()

    def stop_early(self) -> None:
        """End the training where the patience is used up. Raises Ended."""
        stopping = self.early_stopping
        if stopping.exhausted:
            raise Ended("early_stopping", f"no better {stopping.monitor} in {stopping.waited} evaluations")

    def evaluate(self, cause: str) -> dict[str, float]:
        """Evaluate the model as it is, and return its metrics."""
        self._trainer.speak()
        self.last = self._measure(self.batches, self.watched, cause)
        return self.last

    def final_test(self) -> dict[str, float]:
        """Return the metrics of the test data: those of the last evaluation, or measured now where there was `val`."""
        trainer = self._trainer
        if trainer.task.val is None or trainer.task.test is None:
            return self.last or self.evaluate("schedule")
        batches = data.evaluation_batches(trainer.task.test, trainer.settings, trainer.device, trainer.task)
        try:
            return self._measure(batches, "test", "schedule")
        finally:
            batches.close()

    def _measure(self, batches: Batches, split: str, cause: str) -> dict[str, float]:
        trainer = self._trainer
        trainer.say(Evaluating(split=split, batches=length(batches), cause=cause, **trainer.place))
        self.evaluating = cause
        try:
            values = self._evaluator.measure(batches, self._attend)
        finally:
            self.evaluating = None
            trainer.losses.restart_clock()
        trainer.say(Evaluated(split=split, metrics=values, cause=cause, **trainer.place))
        return values

    def _attend(self) -> None:
        trainer, now = self._trainer, time.monotonic()
        if now >= trainer.next_speak:
            # A save that was asked for is answered here too.
            trainer.next_speak = now + SPEAK
            trainer.keeper.tend()
        if trainer.controls.pending(now):
            trainer.desk.attend()
