"""The whole training loop, readable top to bottom."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..checkpoints.manager import Keeper
from ..config.settings import Settings
from ..data import factory as data
from ..data.batches import pair, samples_in
from ..evaluation.evaluator import Evaluator, call, length
from ..evaluation.scheduled import Examiner
from ..runs.commands import Controls
from ..runs.events import Event, LearningRate, Warned
from ..runs.folder import RunFolder
from ..runtime import loss_log as losses
from ..runtime.command_handler import Desk, Ended
from ..runtime.loss_log import SPEAK, LossLog
from ..seeding import Stream, draws_elsewhere, reseed, reseed_torch, seed_for
from ..tasks.task import Task
from . import optimizers, state
from . import schedulers as schedules
from .nan_guard import NanGuard
from .progress import Progress

OWN_OPTIMIZER = (
    "{} parameter tensors are not the optimizer's: if `step` trains them by another one, its state is not saved"
)


class Trainer:
    """Trains one model: a whole run, or one fold of it."""

    def __init__(
        self,
        task: Task,
        settings: Settings,
        device: torch.device,
        folder: RunFolder,
        controls: Controls,
        say: Callable[[Event], None],
        fold: int | None = None,
    ) -> None:
        """Build everything that training needs. Raises SettingError where settings and task do not fit."""
        self.task, self.settings, self.device, self.controls = task, settings, device, controls
        self.say, self.fold = say, fold
        self.progress = Progress(fold=fold or 0)
        self.model = task.model.to(device)
        if settings.channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
        # The state stays that of the plain model: a compiled one's names differ.
        self._forward: nn.Module = torch.compile(self.model) if settings.compile else self.model  # type: ignore[assignment]
        self._half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(settings.precision)
        self._autocast = torch.autocast(device.type, self._half) if self._half else contextlib.nullcontext()
        self._on_cpu = device.type == "cpu"
        self._reseed = reseed if draws_elsewhere(task) else reseed_torch
        self.batches = data.training_batches(task.train, settings, device, task)
        self._batches_per_epoch = length(self.batches)
        self.examiner = Examiner(self, Evaluator(task, self._forward, device, self._autocast))
        if task.optimizer is not None:
            self.optimizer = task.optimizer(self.model, settings.lr)
        else:
            self.optimizer = optimizers.build(settings.optimizer, self.model, settings.lr)
        self._trained = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        self.schedule = schedules.build(
            settings.scheduler,
            self.optimizer,
            settings.lr,
            epochs=settings.epochs,
            steps_per_epoch=self.steps_per_epoch,
            lower_is_better=self.examiner.early_stopping.lower_is_better,
        )
        self._step = optimizers.step_of(self.optimizer)
        trained = set(map(id, self._trained))
        others = sum(p.requires_grad and id(p) not in trained for p in self.model.parameters())
        self.inexact = OWN_OPTIMIZER.format(others) if others and task.step is not None else None
        """Why resuming may not be exact, where the task's own code may keep a state that no checkpoint has."""
        self.scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "fp16")
        self.window: list[Tensor | float] = []
        self.window_samples = 0
        self.losses = LossLog()
        self._guard = NanGuard(self.model, self.optimizer, device, ignore=settings.on_nan == "ignore")
        self.torn = False
        """The optimizer raised in the middle of a step: the state is no step's, and must not be saved."""
        self.folds_done: list[dict[str, float]] = []
        self.keeper = Keeper(
            folder,
            settings.save_every,
            settings.keep,
            self.state_dict,
            say,
            controls.wake,
            fold,
            finite=settings.on_nan != "ignore",
        )
        self.desk = Desk(self)
        self.next_speak = 0.0
        self._clock: float | None = None

    # ---- the loop -------------------------------------------------------------------------------------------------

    def train(self) -> str:
        """Train to the end and return its cause: completed or early_stopping. Raises Ended where it is cut short."""
        progress, settings = self.progress, self.settings
        self.keeper.start(progress.step, progress.epoch)
        self.start_clock()
        self._forward.train()
        self._between(epoch_ended=False)  # an evaluation that an earlier process was in is made again
        self.examiner.stop_early()
        while progress.epoch < settings.epochs:
            for batch in self.batches.epoch(progress.epoch, progress.batch):
                self._train_on(batch)
                # The last batch is looked after below, when the epoch is over.
                if progress.batch != self._batches_per_epoch:
                    self._between(epoch_ended=False)
            if self.window:
                self._close_window()
            if not progress.batch:
                raise Ended("failed", "the training data is empty")
            progress.epoch, progress.batch = progress.epoch + 1, 0
            self.stepped("epoch")
            self._between(epoch_ended=True)
        return "completed"

    def _train_on(self, batch: Any) -> None:
        """Take one batch: forward, backward and, at the end of an accumulation window, an optimizer step.

        Where the task's code raises, the state is that of before the batch, or of the last step.
        """
        progress = self.progress
        self._guard.keep_buffers()
        # Dropout, and whatever a model draws, is a function of the position: nothing has to be restored on resume.
        self._reseed(seed_for(Stream.STEP, self.settings.seed, progress.epoch, progress.batch), self.device)
        try:
            if self._half:
                with self._autocast:
                    loss = self._loss_of(batch)
            else:
                loss = self._loss_of(batch)
        except BaseException:
            self._guard.put_back_buffers()
            raise
        try:
            # On the CPU reading a number waits for nothing; on a device it stays there until the clock asks for it.
            value = loss.item() if self._on_cpu else loss.detach()
        except (AttributeError, RuntimeError):
            self._guard.put_back_buffers()
            losses.check(loss, "loss" if self.task.step is None else "step")
            raise
        size = self._window_size()
        if self._guard.passes(value):
            part = loss if size == 1 else loss / size
            if self.scaler.is_enabled():
                part = self.scaler.scale(part)
            try:
                part.backward()  # type: ignore[no-untyped-call]
            except BaseException:
                self._drop_window()
                losses.check(loss, "loss" if self.task.step is None else "step")
                raise
        progress.batch += 1
        samples = samples_in(batch)
        progress.samples += samples
        self.window.append(value)
        self.window_samples += samples
        if len(self.window) == size:
            self._update()

    def _update(self) -> None:
        """Step the optimizer with the gradients of the window."""
        progress, optimizer = self.progress, self.optimizer
        if self._guard.allows():
            if self.settings.clip is not None:
                self.scaler.unscale_(optimizer)
                # Not the model's: on what this optimizer does not train, gradients may pile up.
                torch.nn.utils.clip_grad_norm_(self._trained, self.settings.clip)
            try:
                if self.scaler.is_enabled():
                    self.scaler.step(optimizer)
                    self.scaler.update()
                else:
                    self._step()
            except BaseException:
                self.torn = True
                raise
        self._drop_gradients()
        progress.step += 1
        self.losses.add(self.window, (progress.shown_epoch, progress.batch), self.window_samples)
        self.window, self.window_samples = [], 0
        self.stepped("step")
        if self._guard.found:
            self.speak()

    def _close_window(self) -> None:
        """Step with the window that a stream's end cut short: only now is it known how many batches share it."""
        for parameter in self._trained:
            if parameter.grad is not None:
                parameter.grad.mul_(self._window_size() / len(self.window))
        self._update()

    def _drop_window(self) -> None:
        """Go back to the last optimizer step: after half a backward pass the window's gradients are worth nothing."""
        self._guard.put_back_buffers()
        self.progress.batch -= len(self.window)
        self.progress.samples -= self.window_samples
        self.window, self.window_samples = [], 0
        self._drop_gradients()

    def _drop_gradients(self) -> None:
        # What optimizer.zero_grad() does, at a tenth of its price for a small model.
        for parameter in self._trained:
            parameter.grad = None

    def _loss_of(self, batch: Any) -> Tensor:
        if self.task.step is not None:
            return self.task.step(self._forward, batch)
        inputs, targets = batch if type(batch) is tuple and len(batch) == 2 else pair(batch, "step")
        assert self.task.loss is not None
        return self.task.loss(call(self._forward, inputs), targets)

    def _window_size(self) -> int:
        """Return the batches in the accumulation window under way: fewer in an epoch's last one."""
        wanted = self.settings.accumulate
        if wanted == 1 or self._batches_per_epoch is None:
            return wanted
        first = self.progress.batch - len(self.window)
        return min(wanted, self._batches_per_epoch - first)

    def stepped(self, unit: schedules.Unit, metric: float | None = None) -> None:
        """Step the schedule, where `unit` is when it wants to be stepped, and say how the learning rate changed."""
        if self.schedule is None:
            return
        before = self.lr
        self.schedule.step(unit, metric)
        # A schedule by steps changes it all the time: there the `steps` events carry it.
        if unit != "step" and self.lr != before:
            self.say(LearningRate(lr=self.lr, cause="schedule", **self.place))

    # ---- between batches ------------------------------------------------------------------------------------------

    def _between(self, *, epoch_ended: bool) -> None:
        """Everything that may happen between two batches; nearly always it is nothing. Raises Ended."""
        if self.examiner.due():
            self.examiner.evaluate_on_schedule()
        now = time.monotonic()
        if self.keeper.due(self.progress.step, self.progress.epoch, now, epoch_ended=epoch_ended):
            self.speak()
            self.keeper.latest("schedule")
        if now >= self.next_speak:
            self.speak()
            self.keeper.tend()
        if self.controls.pending(now) or self.desk.paused is not None:
            self.desk.attend()

    def speak(self, *, final: bool = False) -> None:
        """Fetch the losses and say them; a sync point, so only on the clock and where the history must be whole."""
        self.next_speak = time.monotonic() + SPEAK
        event, bad = self.losses.fetch(self.progress.step, self.progress.shown_epoch, self.lr)
        if event is None:
            return
        self.say(event)
        if bad and self._guard.news() and not final:
            self._on_nan(bad)

    def _on_nan(self, bad: list[tuple[int, int, int]]) -> None:
        step, epoch, batch = bad[0]
        policy = self.settings.on_nan
        message = f"the loss is not finite at step {step} (epoch {epoch}, batch {batch})"
        if policy == "ignore":
            message += "; the training goes on"
        elif self._guard.protects:
            message += "; its update was left out"
        self.say(Warned(kind="nan", message=message, **self.place))
        if policy == "pause":
            self.keeper.latest("schedule")
            self.desk.pause("nan")
        elif policy == "stop":
            raise Ended("failed", message)

    # ---- what it is and where it stands ---------------------------------------------------------------------------

    @property
    def lr(self) -> list[float]:
        """The learning rate of each parameter group."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    @property
    def place(self) -> dict[str, Any]:
        """Where an event belongs."""
        return {"step": self.progress.step, "epoch": self.progress.shown_epoch}

    @property
    def steps_per_epoch(self) -> int | None:
        """Optimizer steps in an epoch, or None where the data has no length."""
        batches = self._batches_per_epoch
        return None if batches is None else math.ceil(batches / self.settings.accumulate)

    def start_clock(self) -> None:
        """Count time from here."""
        self._clock = time.monotonic()
        self.losses.restart_clock()

    def stop_clock(self) -> None:
        """Add the time since `start_clock` to the progress, and count no more."""
        self.read_clock()
        self._clock = None

    def read_clock(self) -> None:
        """Add the time since the last look to the progress, unless the clock stands still."""
        if self._clock is not None:
            now = time.monotonic()
            self.progress.seconds, self._clock = self.progress.seconds + now - self._clock, now

    def state_dict(self) -> dict[str, Any]:
        """Return the complete state, its tensors those of the training: take a snapshot before going on."""
        return state.capture(self)

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go on from a checkpoint. Raises CheckpointError where it is of another model."""
        state.restore(self, saved)
        self._guard.resume(self.window)

    def close(self, reason: str) -> None:
        """Let the worker processes end, and answer what was asked and can no longer be done."""
        self.desk.close(reason)
        self.keeper.close()
        for batches in (self.batches, self.examiner.batches):
            batches.close()
