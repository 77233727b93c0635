"""A training of another library as a run: its losses, its commands and its end. The library saves and resumes."""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..devices import device_label
from ..errors import RequestError
from ..loop import signals
from ..loop.folder import describe_start
from ..loop.live_rate import LiveRate
from ..loop.step_log import StepLog
from ..runs.commands import Controls
from ..runs.events import (
    CheckpointSaved,
    CommandAnswered,
    EarlyStopping,
    Evaluated,
    Evaluating,
    Event,
    Logged,
    RunFinished,
    RunStarted,
    Warned,
)
from ..runs.journal import Journal
from ..runtime.command_handler import CommandHandler
from ..runtime.loss_log import REPORT_INTERVAL
from ..runtime.open_runs import OPEN
from ..runtime.script_end import on_script_end
from ..runtime.stop_run import StopRun
from ..runtime.stop_training import StopTraining
from .opening import Opening


@dataclass
class Abilities:
    """What a library's training can do between two steps; None where it cannot."""

    save: Callable[[str], None] | None = None
    """Save now for a cause; it calls `Tended.saved`."""
    evaluate: Callable[[], Mapping[str, Any]] | None = None
    """Return metrics, and leave the training as it was."""
    instead: str = ""
    """What to write where one of them is missing."""


class Tended:
    """The run of a training that calls `step` and `between` itself. It has the methods of `LoopActions`."""

    def __init__(
        self,
        opening: Opening,
        settings: dict[str, Any],
        model: torch.nn.Module,
        optimizer: Any,
        scheduler: Any,
        abilities: Abilities,
        *,
        step: int,
        epochs: int,
        steps_per_epoch: int | None,
        commands: bool = True,
    ) -> None:
        """Lock the run's folder and emit its start at `step`. Raises RunLocked, RunError."""
        self.folder, resumes = opening.folder()
        opening._found = None
        self.device = next(model.parameters()).device
        self.step_number, self.epoch_number = step, 0
        self.rate, self.log = LiveRate(optimizer, scheduler), StepLog()
        self.stopping: StopTraining | None = None
        """Why the training ends, once a command or a signal has asked for it."""
        self._abilities, self._commanded, self._over = abilities, commands, False
        self._best, self._metrics = math.nan, dict[str, float]()
        self._saving: list[str] = []
        self._next_report = 0.0
        self._cleanup = ExitStack()
        self._cleanup.enter_context(self.folder.lock())
        self._journal = Journal(self.folder.events)
        if resumes:
            describe_start(self.folder, dict(opening.config or {}), {"seed": None, **settings})
        record = self.folder.record()
        record.settings = {**record.settings, **settings, "epochs": epochs}
        self.folder.write_record(record)
        self.controls = Controls(self.folder.commands)
        self._handler = CommandHandler(self.controls, self.emit, self)
        if commands:
            self._cleanup.callback(signals.install(self.controls))
        self._cleanup.callback(on_script_end(self.script_ended))
        OPEN[self.folder.name] = self
        self._cleanup.callback(OPEN.clear)
        self.log.start_at(step)
        self.emit(
            RunStarted(
                run=self.folder.name,
                task=record.task,
                device=device_label(self.device),
                parameters=sum(parameter.numel() for parameter in model.parameters()),
                epochs=epochs,
                steps_per_epoch=steps_per_epoch,
                resumed_from=step if step or self.folder.events.stat().st_size else None,
                pid=os.getpid(),
                host=socket.gethostname(),
                **self.position,
            )
        )
        if not commands:
            self.warn("note", "several processes train: commands are not taken, because all must agree on them")

    # ---- from the library's training ------------------------------------------------------------------------------

    def step(self, step: int, epoch: int, values: Mapping[str, Any], samples: int = 0) -> None:
        """Record that the training has taken its optimizer step number `step`, with these values."""
        self.log.add(values)
        self.log.close_step(step, samples)
        self.step_number, self.epoch_number = step, epoch

    def between(self) -> bool:
        """Carry out commands, and return whether the training must end; see `stopping`."""
        if self.rate.watched and (undone := self.rate.undone()) is not None:
            self.warn("note", undone)
        now = time.monotonic()
        if now >= self._next_report:
            self.flush()
        if self._commanded and (self.controls.pending(now) or self._handler.paused is not None):
            try:
                self._handler.poll()
            except StopTraining as stop:
                self.stopping = stop
        return self.stopping is not None

    def logged(self, values: Mapping[str, Any]) -> None:
        """Record values of this step that come seldom."""
        numbers = {name: float(value) for name, value in values.items() if isinstance(value, int | float)}
        if numbers:
            self.emit(Logged(values=numbers, **self.position))

    def evaluated(self, metrics: Mapping[str, Any], split: str = "val") -> None:
        """Record an evaluation that the library made on its own schedule."""
        self._metrics = {name: float(value) for name, value in metrics.items() if isinstance(value, int | float)}
        self.flush()
        self.emit(Evaluated(split=split, metrics=self._metrics, **self.position))
        self.log.restart_clock()

    def early_stopping(self, monitor: str, best: float, best_step: int, waited: int, patience: int | None) -> None:
        """Record the counter of the library's own early stopping."""
        self._best = best
        self.emit(
            EarlyStopping(
                monitor=monitor, best=best, best_step=best_step, waited=waited, patience=patience, **self.position
            )
        )

    def saved(self, path: str | os.PathLike[str], kind: str = "latest", seconds: float = 0.0) -> None:
        """Record a complete checkpoint of the library, and answer the commands that asked for it."""
        at = Path(path)
        files = [file for file in at.rglob("*") if file.is_file()] if at.is_dir() else [at]
        inside = at.resolve().is_relative_to(self.folder.path.resolve())
        shown = at.resolve().relative_to(self.folder.path.resolve()) if inside else at.resolve()
        size = sum(file.stat().st_size for file in files)
        cause = "command" if self._saving else "signal" if self.controls.signal is not None else "schedule"
        self.flush()
        self.emit(
            CheckpointSaved(path=str(shown), kind=kind, bytes=size, seconds=seconds, cause=cause, **self.position)
        )
        self._journal.sync()
        for command_id in self._saving:
            self._answer(command_id, "done", f"saved step {self.step_number}")
        self._saving = []

    def end(self, cause: str, message: str = "") -> None:
        """Write the end of the run once, and let it go."""
        if self._over:
            return
        self._over = True
        try:
            self.flush()
            for command_id in self._saving:
                self._answer(command_id, "failed", "the run has ended")
            self._handler.close("the run has ended")
            finite = {name: value for name, value in self._metrics.items() if math.isfinite(value)}
            best = None if math.isnan(self._best) else self._best
            self.emit(RunFinished(cause=cause, best=best, test=finite, message=message, **self.position))
            self._journal.sync()
        finally:
            self._journal.close()
            self._cleanup.close()

    def end_by_signal(self) -> None:
        """End the script by StopRun where a signal asked for it; the run has ended."""
        if self.controls.signal is not None:
            raise StopRun(128 + self.controls.signal)

    def script_ended(self, error: BaseException | None) -> None:
        """Write the end of a training that was left by an error, or never ended."""
        if error is None:
            self.end("stopped", "the script ended before its training")
        else:
            self.end("failed", f"{type(error).__name__}: {error}")

    finish = script_ended

    def forked(self) -> None:
        """Record no end in this copy of the process: the run belongs to the parent."""
        self._over = True

    # ---- what commands do, see LoopActions ------------------------------------------------------------------------

    @property
    def position(self) -> dict[str, Any]:
        """`step` and `epoch`, as an event carries them."""
        return {"step": self.step_number, "epoch": self.epoch_number}

    def flush(self) -> None:
        """Emit the losses so far. Synchronises with the device."""
        self._next_report = time.monotonic() + REPORT_INTERVAL
        event, bad = self.log.drain(self.epoch_number, self.rate.rates)
        if event is not None:
            self.emit(event)
        if bad is not None:
            self.warn("nan", f"the loss is not finite at step {bad}; training continues")

    def save(self, command_id: str) -> None:
        """Save for a command, now."""
        if self._abilities.save is None:
            self._answer(command_id, "failed", f"this training cannot save now: {self._abilities.instead}")
            return
        self._saving.append(command_id)
        self._abilities.save("command")

    def poll_saves(self) -> None:
        """Do nothing: a save ends before the training goes on."""

    def evaluate(self, cause: str) -> dict[str, float]:
        """Evaluate without a change of the training."""
        if self._abilities.evaluate is None:
            raise RequestError(f"this training cannot evaluate now: {self._abilities.instead}")
        self.flush()
        self.emit(Evaluating(split="val", cause=cause, **self.position))
        metrics = {name: float(value) for name, value in self._abilities.evaluate().items()}
        self.emit(Evaluated(split="val", metrics=metrics, cause=cause, **self.position))
        self.log.restart_clock()
        return metrics

    def set_learning_rate(self, lr: float) -> list[float]:
        """Set the learning rate; the library's scheduler keeps its shape."""
        return self.rate.set(lr)

    def offload(self) -> int:
        """Raise RequestError: the library holds the memory."""
        raise RequestError("this training cannot release its device memory: stop it and resume it later")

    def reload(self) -> None:
        """Do nothing: nothing was offloaded."""

    def start_clock(self) -> None:
        """Leave the time of a pause out of the throughput."""
        self.log.restart_clock()

    def stop_clock(self) -> None:
        """Do nothing: the clock is that of the events."""

    def emit(self, event: Event) -> None:
        """Write the event to the run's journal."""
        self._journal.append(event)

    def warn(self, kind: str, message: str) -> None:
        """Emit a warning."""
        self.emit(Warned(kind=kind, message=message, **self.position))

    def alert(self, title: str, text: str) -> None:
        """Show a message in the dashboard; `stoker.alert` calls this."""
        self.warn("alert", f"{title}: {text}" if text else title)

    def _answer(self, command_id: str, status: str, message: str) -> None:
        self.emit(CommandAnswered(id=command_id, command="save", status=status, message=message, **self.position))
