"""The training loop of a Task, readable top to bottom."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ..checkpoints.manager import CheckpointManager
from ..config.scheduler_table import Unit
from ..config.settings import Settings
from ..data.batches import Batches
from ..data.factory import evaluation_batches
from ..devices import autocast
from ..evaluation.evaluator import Evaluator
from ..evaluation.metrics import Metrics
from ..evaluation.scheduled import ScheduledEvaluation
from ..runs.commands import Controls
from ..runs.events import Event, LearningRate, Warned
from ..runs.folder import RunFolder
from ..runtime.command_handler import CommandHandler
from ..runtime.loss_log import REPORT_INTERVAL, TimedBatches
from ..runtime.stop_training import StopTraining
from ..tasks.closures import HeldObjects
from ..tasks.task import Task
from . import schedulers
from .build import build_state
from .offload import Offload
from .train_step import TrainStep


class Trainer:
    """Trains one model: a whole run, or one fold of it. Its collaborators receive only the parts that they need."""

    def __init__(
        self,
        task: Task,
        settings: Settings,
        device: torch.device,
        folder: RunFolder,
        controls: Controls,
        emit: Callable[[Event], None],
        fold: int | None = None,
        folds_done: list[dict[str, float]] | None = None,
        lost: Callable[[], str | None] = lambda: None,
    ) -> None:
        """Build everything that training needs. Raises SettingError if the settings do not fit the task.

        `lost` returns why nothing may be saved into `folder` any more, or None.
        """
        self.task, self.settings, self.device = task, settings, device
        self._controls, self._emit, self._next_report, self._overrun = controls, emit, 0.0, False
        metrics = Metrics(task.metrics, device, logits=isinstance(task.loss, nn.BCEWithLogitsLoss))
        metrics.check_monitor(settings.monitor)
        self.metric_directions = metrics.directions()
        self.state = build_state(
            task,
            settings,
            device,
            lower_is_better=metrics.lower_is_better(settings.monitor),
            fold=fold or 0,
            folds_done=folds_done if folds_done is not None else [],
        )
        # Now, because the task's `optimizer` may have made some.
        self._held = HeldObjects(task, self.state.optimizer, self.state.batches)
        # The state keeps the plain model: the parameter names of a compiled one differ.
        model = self.state.model
        # Compiled for each shape: one form for all is made once a second shape is seen, in a resumed process later.
        self._forward: nn.Module = torch.compile(model, dynamic=False) if settings.compile else model  # type: ignore[assignment]
        half = autocast(device, settings.precision)
        self.evaluation = ScheduledEvaluation(
            Evaluator(task, self._forward, half, metrics, settings.seed, self.state.preserved),
            self._evaluation_batches(task.val if task.val is not None else task.test),
            "val" if task.val is not None else "test",
            self.state.early_stopping,
            self.state.overfitting,
            emit,
            every=settings.eval_every,
            epochs=settings.epochs,
        )
        self._held.watch_workers(task.val if task.val is not None else task.test, self.evaluation.batches)
        self.step = TrainStep(self.state, task, settings, self._forward, half)
        self.checkpoints = CheckpointManager(
            folder,
            settings.save_every,
            settings.keep,
            self.state.state_dict,
            emit,
            controls.wake,
            fold,
            finite=settings.on_nan != "ignore",
            lost=lost,
        )
        self.commands = CommandHandler(controls, emit, self)
        self._offload = Offload(
            self.state, (self.state.batches, self.evaluation.batches), self.step.guard.buffers, metrics
        )

    # ---- the loop -------------------------------------------------------------------------------------------------

    def train(self) -> None:
        """Train to the end of the last epoch. Raises StopTraining where the training ends before it."""
        progress = self.state.progress
        self.checkpoints.start(progress.step, progress.epoch)
        self.start_clock()
        self._between_batches()  # runs an evaluation that an earlier process could not finish
        self._stop_if_exhausted()
        while progress.epoch < self.settings.epochs:
            for batch in TimedBatches(self.state.batches.epoch(progress.epoch, progress.batch), self.state.losses):
                stepped = self.step.run(batch)
                del batch  # a release of the device's memory can then free it
                if stepped and self.step.guard.found:
                    self.flush()
                # The work after the last batch is done below, when the epoch has ended.
                if progress.batch != self.state.batches_per_epoch:
                    self._between_batches()
            if self.step.close_window() and self.step.guard.found:
                self.flush()
            if self.state.batches.overrun:
                self._warn_of_overrun()
            if not progress.batch:
                raise StopTraining("failed", "the training data is empty")
            progress.epoch, progress.batch = progress.epoch + 1, 0
            self._step_scheduler("epoch")
            self._between_batches(epoch_ended=True)

    def _between_batches(self, *, epoch_ended: bool = False) -> None:
        """Evaluate, save, emit losses and handle commands, each only if due. Raises StopTraining."""
        progress = self.state.progress
        # Never inside an accumulation window: its gradients belong to a later step.
        may_evaluate = progress.step != progress.evaluated and not self.state.window
        if may_evaluate and self.evaluation.due(progress.step, progress.epoch, progress.batch):
            self._evaluate_on_schedule()
        now = time.monotonic()
        if self.checkpoints.due(progress.step, progress.epoch, now, epoch_ended=epoch_ended):
            self.flush()
            self.checkpoints.save_latest("schedule")
        if now >= self._next_report:
            self.flush()
            self.checkpoints.poll()
        if self._controls.pending(now) or self.commands.paused is not None:
            self.commands.poll()

    def _evaluate_on_schedule(self) -> None:
        """Evaluate, then step the scheduler, warn, save a best and stop early. Raises StopTraining if patience is exhausted."""
        progress = self.state.progress
        metrics = self.evaluate("schedule")
        monitored, is_best = self.evaluation.count(metrics, self.position)
        progress.evaluated = progress.step
        self._step_scheduler("evaluation", monitored)
        self.evaluation.compare_losses(metrics["loss"], self.state.losses.take_mean(), self.position)
        if is_best:
            self.checkpoints.stage_best()
            self.checkpoints.poll()
        self._stop_if_exhausted()

    def _stop_if_exhausted(self) -> None:
        stopping = self.state.early_stopping
        if stopping.exhausted:
            message = f"no better {stopping.monitor} in {stopping.waited} evaluations"
            raise StopTraining("early_stopping", message)

    def _step_scheduler(self, unit: Unit, metric: float | None = None) -> None:
        """Step the scheduler if it steps with `unit`, and emit a change of the learning rate."""
        scheduler = self.state.scheduler
        if scheduler is None:
            return
        before = self.state.lr
        scheduler.step(unit, metric)
        if self.state.lr != before:
            self._emit(LearningRate(lr=self.state.lr, cause="schedule", **self.position))

    def _warn_of_overrun(self) -> None:
        """Warn once that the training data yields more than its length says."""
        if self._overrun:
            return
        self._overrun = True
        name = type(getattr(self.task.train, "dataset", self.task.train)).__name__
        count = self.state.batches_per_epoch
        message = f"`{name}` yields more than its length: an epoch ends after {count} batches. Correct its `__len__`."
        self._emit(Warned(kind="note", message=message, **self.position))

    def _report_nan(self, bad: list[tuple[int, int, int]]) -> None:
        """Warn of losses that are not finite, (step, epoch, batch) of each, and follow the policy for them."""
        step, epoch, batch = bad[0]
        policy = self.settings.on_nan
        unattended = policy == "pause" and self._controls.unattended and "on_nan" not in self.task.settings
        message = f"the loss is not finite at step {step} (epoch {epoch}, batch {batch})"
        if policy == "ignore":
            message += "; training continues"
        elif self.step.guard.protects:
            message += "; its update was skipped"
        if unattended:
            message += "; without a terminal the run stops here: give --on-nan pause to let it wait"
        self._emit(Warned(kind="nan", message=message, **self.position))
        if policy == "pause" and not unattended:
            self.checkpoints.save_latest("schedule")
            self.commands.pause("nan")
        elif policy == "stop" or unattended:
            raise StopTraining("failed", message)

    def _between_evaluation_batches(self) -> None:
        """Answer saves and commands between two batches of an evaluation. Raises StopTraining."""
        now = time.monotonic()
        if now >= self._next_report:
            self._next_report = now + REPORT_INTERVAL
            self.checkpoints.poll()
        if self._controls.pending(now):
            self.commands.poll(evaluating=True)

    # ---- the methods of LoopActions, for commands -----------------------------------------------------------------

    @property
    def position(self) -> dict[str, Any]:
        """`step` and `epoch`, as the fields of an event."""
        return self.state.progress.position

    def flush(self, *, final: bool = False) -> None:
        """Emit the losses so far. Synchronises with the device: call it on a timer and before a save."""
        self._next_report = time.monotonic() + REPORT_INTERVAL
        progress = self.state.progress
        for message in self._held.changed():
            self._emit(Warned(kind="inexact", message=message, **self.position))
        event, bad = self.state.losses.drain(progress.step, progress.epoch_number, self.state.lr)
        if event is None:
            return
        self._emit(event)
        if bad and self.step.guard.should_report() and not final:
            self._report_nan(bad)

    def save(self, command_id: str) -> None:
        """Save `latest` for a command."""
        self.checkpoints.save_for(command_id)

    def poll_saves(self) -> None:
        """Emit the results of saves that have ended."""
        self.checkpoints.poll()

    def evaluate(self, cause: str) -> dict[str, float]:
        """Evaluate the model as it is, and return its metrics; the training's state does not change."""
        self.flush()
        try:
            metrics = self.evaluation.measure(cause, self.position, self._between_evaluation_batches)
        finally:
            self.state.losses.restart_clock()
        self.state.metrics = metrics
        return metrics

    def evaluate_test(self) -> dict[str, float]:
        """Return the metrics of the test data: those of the last evaluation, or measured now where there is `val`."""
        if self.task.val is None or self.task.test is None:
            return self.state.metrics or self.evaluate("schedule")
        batches = self._evaluation_batches(self.task.test)
        try:
            return self.evaluation.measure_on(
                batches, "test", "schedule", self.position, self._between_evaluation_batches
            )
        finally:
            batches.close()
            self.state.losses.restart_clock()

    def set_learning_rate(self, lr: float) -> list[float]:
        """Set the first group's learning rate; the other groups and the schedule keep their proportion to it."""
        schedulers.set_learning_rate(self.state.optimizer, self.state.scheduler, lr)
        return self.state.lr

    def offload(self) -> int:
        """Move the state to the host, and return the bytes that became free on the device."""
        return self._offload.offload()

    def reload(self) -> None:
        """Move the state back. Raises torch.OutOfMemoryError where there is no room."""
        self._offload.reload()

    def start_clock(self) -> None:
        """Count the training's time from here."""
        self.state.clock.start()
        self.state.losses.restart_clock()

    def stop_clock(self) -> None:
        """Stop counting the training's time."""
        self.state.clock.stop()

    # ---- load, close ---------------------------------------------------------------------------------------------

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Continue from a checkpoint. Raises CheckpointError where it belongs to another model."""
        self.state.load_state_dict(saved)
        self.step.guard.resume(self.state.window)

    def close(self, reason: str) -> None:
        """End worker processes and the writer thread; commands that are left are answered with `reason`."""
        self.commands.close(reason)
        self.checkpoints.close()
        for batches in (self.state.batches, self.evaluation.batches):
            batches.close()

    def _evaluation_batches(self, data: Any) -> Batches:
        task = self.task
        return evaluation_batches(
            data, self.settings, self.device, train=task.train, collate=task.collate, options=task.loader
        )
