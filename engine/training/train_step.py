"""One batch of training: forward, backward and, at the end of an accumulation window, an optimizer step."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..config.settings import Settings
from ..data.batches import batch_size_of, call_model, split_batch
from ..seeding import Stream, reseed, reseed_torch, seed_for
from ..tasks.randomness import uses_python_or_numpy_rng
from ..tasks.task import Task
from ..tasks.validation import validate_loss
from . import optimizers
from .label_check import check_labels
from .nan_guard import NanGuard
from .state import TrainingState


class TrainStep:
    """Trains on one batch at a time. An error of the task's code leaves the state of the last optimizer step."""

    def __init__(
        self,
        state: TrainingState,
        task: Task,
        settings: Settings,
        forward: nn.Module,
        autocast: contextlib.AbstractContextManager[Any],
    ) -> None:
        """Train `forward`, the model of `state` or its compiled form, under `autocast` where the precision is half."""
        self._state, self._task, self._settings, self._forward = state, task, settings, forward
        self._autocast = autocast if settings.precision != "fp32" else None
        self._on_cpu = state.device.type == "cpu"
        anywhere = uses_python_or_numpy_rng(task, state.optimizer)
        self._reseed: Callable[[int, torch.device], None] = reseed if anywhere else reseed_torch
        self._optimizer_step = optimizers.unhooked_step(state.optimizer)
        self._source = "loss" if task.step is None else "step"
        self._loss: Any = self._first_loss if state.device.type == "cuda" else task.loss
        self.guard = NanGuard(
            state.model,
            state.optimizer,
            state.device,
            ignore=settings.on_nan == "ignore",
            windows=settings.accumulate > 1,
        )
        self.inconsistent = False
        """The optimizer raised inside a step: the state belongs to no step and must not be saved."""

    def run(self, batch: Any) -> bool:
        """Take one batch; return whether it ended with an optimizer step."""
        state = self._state
        progress, guard = state.progress, self.guard
        guard.buffers.keep(window_starts=not state.window)
        # Dropout and every other random number of the model depend only on the position, so resuming restores no generator.
        self._reseed(seed_for(Stream.STEP, self._settings.seed, progress.epoch, progress.batch), state.device)
        try:
            if self._autocast is not None:
                with self._autocast:
                    loss = self._loss_of(batch)
            else:
                loss = self._loss_of(batch)
        except BaseException:
            guard.buffers.restore()
            raise
        try:
            # On the CPU, reading the loss is free. On a GPU it would synchronise, so the loss stays there until it is reported.
            value = loss.item() if self._on_cpu else loss.detach().reshape(())
        except (AttributeError, RuntimeError):
            guard.buffers.restore()
            validate_loss(loss, self._source)
            raise
        size = self._window_size()
        try:
            if guard.passes(value):
                part = loss if size == 1 else loss / size
                if state.scaler.is_enabled():
                    part = state.scaler.scale(guard.spoil(part))
                part.backward()  # type: ignore[no-untyped-call]
        except BaseException:
            self._drop_window(len(state.window))
            validate_loss(loss, self._source)
            raise
        progress.batch += 1
        samples = batch_size_of(batch)
        progress.samples += samples
        state.window.append(value)
        state.window_samples += samples
        if len(state.window) < size:
            return False
        self._update()
        return True

    def close_window(self) -> bool:
        """Step with the incomplete accumulation window at the end of a stream; return whether there was one."""
        window = self._state.window
        if not window:
            return False
        # The number of batches in the window is known only now.
        for parameter in self._state.trained_parameters:
            if parameter.grad is not None:
                parameter.grad.mul_(self._window_size() / len(window))
        # An optimizer may draw, and what the end of a stream has drawn differs after a resume.
        progress = self._state.progress
        self._reseed(seed_for(Stream.STEP, self._settings.seed, progress.epoch, progress.batch), self._state.device)
        self._update()
        return True

    def _update(self) -> None:
        """Step the optimizer and the scheduler with the gradients of the window."""
        state, guard = self._state, self.guard
        progress, optimizer, scaler = state.progress, state.optimizer, state.scaler
        try:
            allowed = guard.allows()
            if allowed and self._settings.clip is not None:
                scaler.unscale_(optimizer)
                # Not all parameters of the model: gradients accumulate on those that this optimizer does not train.
                torch.nn.utils.clip_grad_norm_(state.trained_parameters, self._settings.clip)
        except BaseException:
            self._drop_window(len(state.window) - 1)
            raise
        if allowed:
            try:
                if scaler.is_enabled():
                    scaler.step(optimizer)
                    scaler.update()
                else:
                    self._optimizer_step()
            except BaseException:
                self.inconsistent = True
                raise
        self._drop_gradients()
        progress.step += 1
        state.losses.add(state.window, (progress.epoch_number, progress.batch), state.window_samples)
        state.window, state.window_samples = [], 0
        if state.scheduler is not None:
            state.scheduler.step("step")

    def _drop_window(self, ended: int) -> None:
        """Return to the last optimizer step: an interrupted backward pass leaves incomplete gradients in the window.

        `ended` batches of the window had ended before the last forward pass.
        """
        state = self._state
        if not self.guard.undo_window(ended):
            self.inconsistent = True
        state.progress.batch -= len(state.window)
        state.progress.samples -= state.window_samples
        state.window, state.window_samples = [], 0
        self._drop_gradients()

    def _drop_gradients(self) -> None:
        # Equal to optimizer.zero_grad(), in a tenth of the time for a small model.
        for parameter in self._state.trained_parameters:
            parameter.grad = None

    def _loss_of(self, batch: Any) -> Tensor:
        """Return the loss () of one batch."""
        if self._task.step is not None:
            return self._task.step(self._forward, batch)
        inputs, targets = batch if type(batch) is tuple and len(batch) == 2 else split_batch(batch, "step")
        return self._loss(call_model(self._forward, inputs), targets)  # type: ignore[no-any-return]

    def _first_loss(self, outputs: Any, targets: Any) -> Tensor:
        """Return the loss () of the first batch on a GPU, after a check of all labels."""
        check_labels(self._task.train, self._task.loss, outputs)
        self._loss = self._task.loss
        return self._loss(outputs, targets)  # type: ignore[no-any-return]

    def _window_size(self) -> int:
        """Return the batches of the current accumulation window: fewer in the last one of an epoch."""
        wanted = self._settings.accumulate
        if wanted == 1 or self._state.batches_per_epoch is None:
            return wanted
        first = self._state.progress.batch - len(self._state.window)
        return min(wanted, self._state.batches_per_epoch - first)
