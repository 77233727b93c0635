"""Takes requests between batches and answers each with what really happened."""

from __future__ import annotations

import math
from signal import Signals
from typing import TYPE_CHECKING

import torch

from ..runs.commands import NAMES, Command
from ..runs.events import CommandAnswered, LearningRate, Paused, Resumed
from ..training.offload import Release
from ..training.schedulers import set_learning_rate

if TYPE_CHECKING:
    from ..training.trainer import Trainer


class Ended(Exception):
    """The training ends here: on request, by early stopping, or because the policy says so."""

    def __init__(self, cause: str, message: str = "", save_cause: str = "end") -> None:
        """End with the `cause` of the run_finished event."""
        super().__init__(message)
        self.cause, self.message, self.save_cause = cause, message, save_cause


class Desk:
    """Obeys commands; the trainer calls `attend` between batches, in training and in evaluation."""

    def __init__(self, trainer: Trainer) -> None:
        """Serve `trainer`."""
        self._trainer = trainer
        self._controls = trainer.controls
        self.paused: str | None = None
        self._evaluations: list[Command] = []
        self._release = Release(trainer)

    def attend(self) -> None:
        """Take what was asked; returns when the training may go on. Raises Ended."""
        self._look()
        while self._trainer.examiner.evaluating is None and (self.paused is not None or self._evaluations):
            if self._evaluations:
                self._evaluate(self._evaluations.pop(0))
            else:
                self._wait()

    def _look(self) -> None:
        for command in self._controls.take():
            self._obey(command)
        if self._controls.signal is not None:
            raise Ended("stopped", f"told to end by {Signals(self._controls.signal).name}", "signal")

    def close(self, reason: str) -> None:
        """Answer what was asked and will not be done, because the training is over."""
        commands, self._evaluations = [*self._evaluations, *self._controls.take()], []
        for command in commands:
            self._answer(command, "failed", reason)

    def pause(self, cause: str) -> None:
        """Pause at the next batch."""
        self.paused = self.paused or cause

    def _wait(self) -> None:
        trainer = self._trainer
        trainer.speak()
        trainer.stop_clock()
        trainer.say(Paused(cause=self.paused or "command", **trainer.place))
        try:
            while self.paused is not None:
                self._controls.wait()
                trainer.keeper.tend()
                self._look()
                if self._evaluations:
                    self._evaluate(self._evaluations.pop(0))
        finally:
            trainer.start_clock()
        trainer.say(Resumed(**trainer.place))

    def _evaluate(self, command: Command) -> None:
        if self._release.released:
            self._answer(command, "failed", "the device's memory is given back: resume first")
            return
        try:
            metrics = self._trainer.examiner.evaluate("command")
        except Ended as ended:
            self._answer(command, "failed", ended.message)
            raise
        self._answer(command, "done", ", ".join(f"{name} {value:.4g}" for name, value in metrics.items()))

    def _answer(self, command: Command, status: str, message: str) -> None:
        self._trainer.say(
            CommandAnswered(
                id=command.id, command=command.command, status=status, message=message, **self._trainer.place
            )
        )

    def _obey(self, command: Command) -> None:
        trainer = self._trainer
        match command.command:
            case "pause":
                self._pause(command)
            case "resume":
                self._resume(command)
            case "save":
                # Answered by the keeper, when the bytes are safe.
                trainer.speak()
                trainer.keeper.latest("command", commands=(command.id,))
            case "evaluate":
                self._evaluations.append(command)
            case "stop":
                self._answer(command, "done", "saves and ends")
                raise Ended("stopped", "stopped on request", "command")
            case "set_learning_rate":
                self._set_learning_rate(command)
            case unknown:
                self._answer(command, "failed", f"unknown command {unknown[:80]!r}; there are {', '.join(NAMES)}")

    def _pause(self, command: Command) -> None:
        done = self.paused is None
        self.pause("command")
        message = "paused" if done else "was paused already"
        if command.release and self._trainer.examiner.evaluating is not None:
            self._answer(command, "failed", "paused, but an evaluation is under way: ask for the release after it")
            return
        if command.release and not self._release.released:
            self._trainer.speak()
            message += f", {self._release.to_host() / 2**20:.0f} MiB of {self._trainer.device} given back"
        self._answer(command, "done", message)

    def _resume(self, command: Command) -> None:
        if self.paused is None:
            self._answer(command, "done", "was not paused")
            return
        try:
            self._release.to_device()
        except torch.OutOfMemoryError:
            self._answer(command, "failed", f"{self._trainer.device} has no room now: still paused, ask again later")
            return
        self.paused = None
        self._answer(command, "done", "goes on")

    def _set_learning_rate(self, command: Command) -> None:
        trainer, lr = self._trainer, command.lr
        if lr is None or not (math.isfinite(lr) and lr > 0):
            self._answer(command, "failed", f"a learning rate is a number above 0, not {lr}")
            return
        trainer.speak()
        set_learning_rate(trainer.optimizer, trainer.schedule, lr)
        trainer.say(LearningRate(lr=trainer.lr, cause="command", **trainer.place))
        self._answer(command, "done", f"learning rate {lr:g}")
