"""What happens between two batches of a user's own loop: losses, commands, saves, evaluation, and its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from ..checkpoints import files
from ..checkpoints.manager import CheckpointManager
from ..data.batches import Batches
from ..errors import RequestError, RunError
from ..runs.commands import Controls
from ..runs.events import Event, Logged, Warned
from ..runs.folder import RunFolder
from ..runs.journal import Journal
from ..runtime.command_handler import CommandHandler
from ..runtime.loss_log import REPORT_INTERVAL
from ..runtime.open_runs import OPEN
from ..runtime.script_end import on_script_end
from ..runtime.stop_run import StopRun
from ..runtime.stop_training import StopTraining
from ..training.progress import Progress
from . import announce, signals
from .evaluation import LoopEvaluation
from .live_rate import LiveRate
from .parts import Parts
from .state import LoopState
from .step_log import StepLog


class LoopController:
    """Keeps a user's loop as a run. It has the methods of `LoopActions`, so that commands work on it."""

    def __init__(
        self,
        folder: RunFolder,
        parts: Parts,
        settings: dict[str, Any],
        *,
        mode: str | None,
        evaluate: Callable[[], Mapping[str, Any]],
    ) -> None:
        """Lock `folder` and open its journal; `check_request` has passed. Raises RunLocked, RunError."""
        self.folder, self.samples = folder, 0
        self._optimizer = parts.optimizers[0]
        self.device = self._optimizer.param_groups[0]["params"][0].device
        evaluation = LoopEvaluation(
            evaluate,
            parts.all_modules,
            self.emit,
            monitor=settings["monitor"],
            mode=mode,
            patience=settings["patience"],
            every=settings["eval_every"],
        )
        self.rate = LiveRate(self._optimizer, parts.scheduler)
        self.state = LoopState(self.device, settings, parts, evaluation, self.rate)
        self.progress = self.state.progress
        self.step_log = StepLog()
        self._started = self._announced = self._stage_best = self._over = False
        self._next_report = 0.0
        self._changes: list[tuple[str, str]] = []
        """Kind and message of the warnings of what changed since the checkpoint."""
        self._cause = "completed"
        self._completed_at: int | None = None
        """The step at which the loop ended and was saved."""
        self._cleanup = ExitStack()
        lock = self._cleanup.enter_context(folder.lock())
        try:
            self._journal = Journal(folder.events)
        except OSError as error:
            self._cleanup.close()
            raise RunError(f"run folder {folder.path} cannot be written: {error.strerror}") from error
        self.controls = Controls(folder.commands)
        self._checkpoints = CheckpointManager(
            folder, settings["save_every"], settings["keep"], self.state.state_dict, self.emit, self.controls.wake, None,
            finite=True, lost=lock.lost,
        )  # fmt: skip
        self._commands = CommandHandler(self.controls, self.emit, self)
        hook = self._optimizer.register_step_post_hook(self._stepped)
        self._cleanup.callback(hook.remove)
        self._cleanup.callback(signals.install(self.controls))
        self._cleanup.callback(on_script_end(self.finish))
        OPEN[folder.name] = self
        self._cleanup.callback(OPEN.clear)

    def start(self, *, epochs: int, steps_per_epoch: int | None = None) -> Progress:
        """Begin to count at the start of `epochs()` or `steps()`, and return the progress."""
        if self._over:
            raise RequestError("this run is finished: make a new Run")
        if not self._started:
            self._started = True
            self.state.settings["epochs"] = epochs
            self.state.batches_per_epoch = steps_per_epoch
            record = self.folder.record()
            record.settings = self.state.settings
            self.folder.write_record(record)
            self._checkpoints.start(self.progress.step, self.progress.epoch)
            self.step_log.start_at(self.progress.step)
            self.start_clock()
        return self.progress

    def started_progress(self, caller: str) -> Progress:
        """Return the progress inside `epochs()`. Raises RequestError outside."""
        if not self._started or self._over:
            raise RequestError(f"{caller} belongs inside `for epoch in run.epochs():` or `for step in run.steps(…):`")
        return self.progress

    def use(self, batches: Batches, rows: int | None) -> None:
        """Take a new loader's batches of `rows` rows, and warn where they may not be those of the checkpoint."""
        changed = self.state.use(batches, rows)
        self._announce()
        if changed is not None:
            self._warn("task_changed", f"The data changed since the checkpoint ({changed}): its order is another one.")
        if batches.inexact_reason is not None:
            self._warn("inexact", batches.inexact_reason)

    def log(self, values: Mapping[str, Any], **_: Any) -> None:
        """Record the values of this step; `stoker.log` calls this too, with a `step` that the loop knows itself."""
        self.step_log.add(values)

    def alert(self, title: str, text: str) -> None:
        """Show a message in the dashboard, and ring its bell."""
        self._warn("alert", f"{title}: {text}" if text else title)

    def text(self, title: str, text: str) -> None:
        """Emit a text of this step."""
        self.emit(Logged(title=title, text=text, **self.position))

    def between(self, *, epoch_ended: bool = False) -> None:
        """Do what is due between two batches. Raises StopRun where a command or a signal ends the run."""
        self._announce()
        self.step_log.close_step(self.progress.step, self.samples)
        self.samples = 0
        if self.rate.watched and (undone := self.rate.undone()) is not None:
            self._warn("note", undone)
        try:
            if self.state.evaluation.due(self.progress, epoch_ended=epoch_ended):
                self.evaluate_on_schedule()
            if self._stage_best:
                self._stage_best = False
                self._checkpoints.stage_best()
            now = time.monotonic()
            if self._checkpoints.due(self.progress.step, self.progress.epoch, now, epoch_ended=epoch_ended):
                self.flush()
                self._checkpoints.save_latest("schedule")
            if now >= self._next_report:
                self.flush()
                self._checkpoints.poll()
            if self.controls.pending(now) or self._commands.paused is not None:
                self._commands.poll()
        except StopTraining as stop:
            self._end(stop.cause, stop.message, stop.save_cause)
            raise StopRun(128 + self.controls.signal if self.controls.signal is not None else 0) from None

    @property
    def exhausted(self) -> bool:
        """Whether the patience is used up."""
        return self.state.evaluation.early_stopping.exhausted

    def complete(self) -> None:
        """Save at the regular end of the loop; what the script logs after it is still recorded."""
        self._cause = "early_stopping" if self.exhausted else "completed"
        self.flush()
        if self._checkpoints.save_latest("end", wait=True):
            self._completed_at = self.progress.step

    def evaluate_on_schedule(self) -> dict[str, float]:
        """Evaluate, count early stopping, and stage the best state for the next safe place."""
        metrics = self.evaluate("schedule")
        self._stage_best |= self.state.evaluation.count(metrics, self.position)
        self.progress.evaluated = self.progress.step
        return metrics

    def finish(self, error: BaseException | None = None) -> None:
        """End the run once: save unless it failed, and write the last event."""
        if isinstance(error, StopRun) or self._over:
            return
        if error is None or (isinstance(error, SystemExit) and not error.code):
            self._end(self._cause, "", "end")
        else:
            # Between the optimizer's step and the next batch the state may be of no step: it is not saved.
            self._end("failed", f"{type(error).__name__}: {error}", None)

    def forked(self) -> None:
        """Record no end in this copy of the process: the run belongs to the parent."""
        self._over = True

    # ---- what commands do, see LoopActions ------------------------------------------------------------------------

    @property
    def position(self) -> dict[str, Any]:
        """`step` and `epoch`, as an event carries them."""
        return self.progress.position

    def flush(self) -> None:
        """Emit the steps so far. Synchronises with the device."""
        self._next_report = time.monotonic() + REPORT_INTERVAL
        event, bad = self.step_log.drain(self.progress.epoch_number, self.rate.rates)
        if event is not None:
            self.emit(event)
        if bad is not None:
            self._warn("nan", f"the loss is not finite at step {bad}; training continues")

    def save(self, command_id: str) -> None:
        """Save `latest` for a command."""
        self._checkpoints.save_for(command_id)

    def poll_saves(self) -> None:
        """Emit which saves ended."""
        self._checkpoints.poll()

    def evaluate(self, cause: str) -> dict[str, float]:
        """Call the user's evaluation and emit its metrics."""
        self._announce()
        self.flush()
        try:
            return self.state.evaluation.measure(cause, self.position)
        finally:
            self.step_log.restart_clock()

    def set_learning_rate(self, lr: float) -> list[float]:
        """Set the learning rate of the first optimizer; its scheduler keeps its shape."""
        return self.rate.set(lr)

    def offload(self) -> int:
        """Raise RequestError: only the script knows everything that it holds on the device."""
        raise RequestError("a loop of your own cannot release its device memory: stop it and resume it later")

    def reload(self) -> None:
        """Do nothing: nothing was offloaded."""

    def start_clock(self) -> None:
        """Count the training's time from here."""
        self.state.clock.start()
        self.step_log.restart_clock()

    def stop_clock(self) -> None:
        """Stop counting the training's time."""
        self.state.clock.stop()

    # ---- state and events -----------------------------------------------------------------------------------------

    def emit(self, event: Event) -> None:
        """Write the event to the run's journal."""
        self._journal.append(event)

    def load_newest(self) -> None:
        """Continue from the newest checkpoint, if there is one. Raises CheckpointError."""
        found = files.newest(self.folder.checkpoints)
        if found is None:
            return
        self._changes = announce.changes(self.state.load_state_dict(found[1]), self.folder.record())

    def _announce(self) -> None:
        """Emit that the run starts, once: when the number of batches is known, or when something happens."""
        if self._announced:
            return
        self._announced = True
        self.emit(announce.started(self.state, self.folder))
        for kind, message in self._changes:
            self._warn(kind, message)

    def _stepped(self, *_: Any) -> None:
        self.progress.step += 1

    def _warn(self, kind: str, message: str) -> None:
        self.emit(Warned(kind=kind, message=message, **self.position))

    def _end(self, cause: str, message: str, save_cause: str | None) -> None:
        """Write the end of the run and let it go; `save_cause` is None where the state must not be saved."""
        self._over = True
        try:
            self._announce()
            self.flush()
            wanted = self._started and save_cause is not None and self._completed_at != self.progress.step
            if wanted and not self._checkpoints.save_final(str(save_cause)):
                message = "; ".join(filter(None, (message, "its last state could not be saved")))
                cause = "failed" if cause in ("completed", "early_stopping") else cause
            self._commands.close("the run has ended")
            self._checkpoints.close()
            if self.state.batches is not None:
                self.state.batches.close()
            if cause in ("completed", "early_stopping") and not message:
                message = announce.unused(self.state, started=self._started, logged=self.step_log.logged)
            self.emit(announce.finished(self.state, cause, message))
            self._journal.sync()
        finally:
            self._journal.close()
            self._cleanup.close()
