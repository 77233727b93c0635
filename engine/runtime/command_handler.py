"""Handle commands between two batches, and answer each with its real result.

The loop carries them out by the methods of `LoopActions`: `training/trainer.py`, and `loop/controller.py` for a loop of the
user's own. In both, a save ends in `CheckpointManager.save_for` (`checkpoints/manager.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from signal import Signals

import torch

from ..errors import RequestError
from ..runs.commands import COMMAND_NAMES, Command, Controls
from ..runs.events import CommandAnswered, Event, LearningRate, Paused, Resumed
from .loop_actions import LoopActions
from .stop_training import StopTraining


class CommandHandler:
    """Handles the commands of one loop, which calls `poll` between batches, in training and in evaluation."""

    def __init__(self, controls: Controls, emit: Callable[[Event], None], actions: LoopActions) -> None:
        """Take commands from `controls`, and answer them by events to `emit`."""
        self._controls, self._emit, self._actions = controls, emit, actions
        self.paused: str | None = None
        """The cause of the pause, or None while the loop runs."""
        self._evaluations: list[Command] = []
        self._offloaded = False
        self._evaluating = False

    def poll(self, *, evaluating: bool = False) -> None:
        """Handle the commands so far; while paused, return only when the training may continue.

        During an evaluation (`evaluating`) a pause takes effect after it. Raises StopTraining.
        """
        outer, self._evaluating = self._evaluating, evaluating
        try:
            self._handle_all()
            while not evaluating and (self.paused is not None or self._evaluations):
                if self._evaluations:
                    self._evaluate(self._evaluations.pop(0))
                else:
                    self._wait()
        finally:
            self._evaluating = outer

    def pause(self, cause: str) -> None:
        """Pause at the next batch."""
        self.paused = self.paused or cause

    def close(self, reason: str) -> None:
        """Answer the commands that are left: `reason` says why they were not carried out."""
        commands, self._evaluations = [*self._evaluations, *self._controls.take()], []
        for command in commands:
            self._answer(command, "failed", reason)

    def _handle_all(self) -> None:
        for command in self._controls.take():
            self._handle(command)
        if self._controls.signal is not None:
            name = Signals(self._controls.signal).name
            raise StopTraining("stopped", f"stopped by {name}", "signal")

    def _wait(self) -> None:
        actions = self._actions
        actions.flush()
        actions.stop_clock()
        self._emit(Paused(cause=self.paused or "command", **actions.position))
        try:
            while self.paused is not None:
                self._controls.wait()
                actions.poll_saves()
                self._handle_all()
                if self._evaluations:
                    self._evaluate(self._evaluations.pop(0))
        finally:
            actions.start_clock()
        self._emit(Resumed(**actions.position))

    def _evaluate(self, command: Command) -> None:
        if self._offloaded:
            self._answer(command, "failed", "the run's device memory is released: resume it first")
            return
        try:
            metrics = self._actions.evaluate("command")
        except StopTraining as stop:
            self._answer(command, "failed", stop.message)
            raise
        except RequestError as error:
            self._answer(command, "failed", str(error))
            return
        self._answer(command, "done", ", ".join(f"{name} {value:.4g}" for name, value in metrics.items()))

    def _answer(self, command: Command, status: str, message: str) -> None:
        position = self._actions.position
        self._emit(CommandAnswered(id=command.id, command=command.command, status=status, message=message, **position))

    def _handle(self, command: Command) -> None:
        match command.command:
            case "pause":
                self._pause(command)
            case "resume":
                self._resume(command)
            case "save":
                self._actions.flush()
                self._actions.save(command.id)
            case "evaluate":
                self._evaluations.append(command)
            case "stop":
                self._answer(command, "done", "saving and stopping")
                raise StopTraining("stopped", "stopped on request", "command")
            case "set_learning_rate":
                self._set_learning_rate(command)
            case unknown:
                self._answer(
                    command, "failed", f"unknown command {unknown[:80]!r}: choose from {', '.join(COMMAND_NAMES)}"
                )

    def _pause(self, command: Command) -> None:
        message = "paused" if self.paused is None else "already paused"
        self.pause("command")
        if command.release and self._evaluating:
            message = "paused; device memory cannot be released during an evaluation: send the command again after it"
            self._answer(command, "failed", message)
            return
        if command.release and not self._offloaded:
            self._actions.flush()
            try:
                freed = self._actions.offload()
            except RequestError as error:
                self._answer(command, "failed", f"paused; {error}")
                return
            self._offloaded = True
            message += f", released {freed / 2**20:.0f} MiB of {self._actions.device}"
            if self._actions.device.type == "cuda":
                message += "; CUDA itself keeps some memory until the process ends"
        self._answer(command, "done", message)

    def _resume(self, command: Command) -> None:
        if self.paused is None:
            self._answer(command, "done", "was not paused")
            return
        if self._offloaded:
            try:
                self._actions.reload()
            except torch.OutOfMemoryError:
                message = f"{self._actions.device} is out of memory: still paused, try again later"
                self._answer(command, "failed", message)
                return
            self._offloaded = False
        self.paused = None
        self._answer(command, "done", "resumed")

    def _set_learning_rate(self, command: Command) -> None:
        lr = command.lr
        if lr is None or not (math.isfinite(lr) and lr > 0):
            self._answer(command, "failed", f"a learning rate must be a number above 0, not {lr}")
            return
        self._actions.flush()
        lrs = self._actions.set_learning_rate(lr)
        self._emit(LearningRate(lr=lrs, cause="command", **self._actions.position))
        self._answer(command, "done", f"learning rate {lr:g}")
