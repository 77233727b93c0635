"""Decides when to save: latest by time or count, best when it is found, numbered checkpoints to keep."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..config.specs import Every
from ..errors import TrainingError
from ..runs.events import CheckpointSaved, CommandAnswered, Event, Warned
from ..runs.folder import RunFolder
from . import checksums, files
from .snapshot_pool import SnapshotPool
from .writer import CheckpointWriter, FolderLost, NotFinite, SaveRequest, SaveResult

DEFAULT_INTERVAL = 300.0  # seconds between two saves of latest, where --save-every is not given
EPOCH_END_AGE = 60.0  # seconds since the last save after which the end of an epoch saves again
BEST_INTERVAL = 1.0  # seconds between two writes of best
RETRY_INTERVAL = 30.0  # seconds until a failed save is tried again


class CheckpointManager:
    """Decides on saves, gives them to the writer, and emits how they ended."""

    def __init__(
        self,
        folder: RunFolder,
        every: str | None,
        keep: int,
        state: Callable[[], dict[str, Any]],
        emit: Callable[[Event], None],
        wake: Callable[[], None],
        fold: int | None,
        *,
        finite: bool,
        lost: Callable[[], str | None] = lambda: None,
    ) -> None:
        """Save the result of `state` into `folder`: the complete state, whose tensors are not copies.

        `wake` is called from the writer thread after each save. With `finite`, a model that holds NaN or infinity is
        not saved. `lost` returns why nothing may be written into `folder` any more, or None.
        """
        self._folder, self._keep, self._state, self._emit = folder, keep, state, emit
        self._every = Every.parse(every, what="--save-every", time=True) if every else None
        self._prefix = f"fold-{fold}-" if fold is not None else ""
        self._snapshots = SnapshotPool()
        self._writer = CheckpointWriter(folder, finite, wake, lost, self._snapshots.wait)
        self._last = time.monotonic()
        self._saved_step = self._saved_epoch = -1
        self._failed = False
        self._retry_at = 0.0
        self._staged: dict[str, Any] | None = None
        self._last_best = 0.0
        self._waiting: tuple[str, ...] = ()
        """Ids of save commands that wait until no save is running; one save answers them all."""
        self._over = False
        self._lost: str | None = None

    def start(self, step: int, epoch: int) -> None:
        """Count from here: the state at `step` is on disk already, or is the initial one."""
        self._saved_step, self._saved_epoch = step, epoch

    def due(self, step: int, epoch: int, now: float, *, epoch_ended: bool) -> bool:
        """Return whether to save `latest` at `now`, in seconds of `time.monotonic()`, between two batches."""
        if step == self._saved_step or now < self._retry_at:
            return False
        # While a save is running, do not queue another; it becomes due at the next batch. Numbered checkpoints are the
        # exception: they must hold exactly their step.
        return self._due(step, epoch, now, epoch_ended) and (self._keep > 0 or not self._writer.busy)

    def _due(self, step: int, epoch: int, now: float, epoch_ended: bool) -> bool:
        if self._failed:
            return True
        if self._every is None:
            age = now - self._last
            return age >= DEFAULT_INTERVAL or (epoch_ended and age >= EPOCH_END_AGE)
        if self._every.unit == "s":
            return now - self._last >= self._every.count
        # Also due after the exact count: another save may have been running at that step.
        now_at, saved_at = (step, self._saved_step) if self._every.unit == "steps" else (epoch, self._saved_epoch)
        return now_at // self._every.count > saved_at // self._every.count

    def stage_best(self) -> None:
        """Copy the best state. It is written at once, or within a second of the last one.

        A fast run finds many bests: only the newest is kept in memory.
        """
        if self._staged is not None:
            self._snapshots.release(self._staged)
            self._staged = None
        self._staged = self._copy("best")
        if self._staged is None:
            self._write_best(in_place=True)

    def poll(self) -> None:
        """Emit the results of saves that have ended, and write a staged best; call it on a timer.

        Raises TrainingError where the folder is no longer this run's: nothing can ever be saved again.
        """
        self.report_finished()
        if self._lost is not None:
            raise TrainingError(self._lost)
        now = time.monotonic()
        may_write = now >= max(self._last_best + BEST_INTERVAL, self._retry_at) and not self._writer.busy
        if self._staged is not None and may_write:
            self._write_best()
        if self._waiting and not self._writer.busy:
            self.save_latest("command")

    def save_for(self, command: str) -> None:
        """Save `latest` for the command with this id, or let it wait for the running save: a copy takes memory."""
        self.report_finished()
        self._waiting += (command,)
        if not self._writer.busy:
            self.save_latest("command")

    def save_latest(self, cause: str, *, commands: tuple[str, ...] = (), wait: bool = False) -> bool:
        """Save `latest`. With `wait`, return after the file is safe, and whether it is."""
        self.report_finished()
        if self._staged is not None:
            # Write it first, so that best.pt is never older than the best value recorded in latest.pt.
            self._write_best()
        if self._keep:
            # Wait for a running save: if steps are faster than the disk, snapshots would fill the memory.
            self.finish()
        names = [("latest", checksums.LATEST)]
        copy = self._copy("latest")
        state = self._state() if copy is None else copy
        progress = state["progress"]
        if self._keep and cause == "schedule":
            names.append(("kept", f"{self._prefix}step-{progress['step']:09d}.pt"))
        self._last = time.monotonic()
        self._saved_step, self._saved_epoch = progress["step"], progress["epoch"]
        if self._waiting and cause != "signal":
            cause = "command"  # a save that a person asked for, whichever moment it was made at
        commands, self._waiting = (*self._waiting, *commands), ()
        request = SaveRequest(tuple(names), cause, progress["step"], progress["epoch"], commands)
        self._writer.start(request, state, snapshot=copy is not None)
        return self.finish()[-1].error is None if wait or copy is None else True

    def save_final(self, cause: str) -> bool:
        """Save `latest` after the training has ended, and return whether it is safe. A failure is not retried."""
        self._over = True
        return self.save_latest(cause, wait=True)

    def finish(self) -> list[SaveResult]:
        """Wait for the running saves, and emit and return their results."""
        if self._staged is not None:
            self._write_best()
        ended = self._writer.wait()
        for result in ended:
            self._report(result)
        return ended

    def report_finished(self) -> None:
        """Emit the results of the saves that ended since the last call."""
        for result in self._writer.results():
            self._report(result)

    def close(self) -> None:
        """Wait for the running saves and end the writer thread."""
        self._over = True
        self.finish()
        self._answer(self._waiting, "failed", "the run has ended", {})
        self._waiting = ()
        self._staged = None  # drop a staged best that could not be written
        self._writer.close()

    def _copy(self, kind: str) -> dict[str, Any] | None:
        """Return a snapshot; where the memory has no room for it, warn, and return None."""
        try:
            snapshot: dict[str, Any] = self._snapshots.acquire(self._state())
        except (MemoryError, RuntimeError) as error:
            message = (
                f"No memory for a copy of the state ({_reason(error)}): training waits while {kind}.pt is written."
            )
            progress = self._state()["progress"]
            self._emit(Warned(kind="save_failed", message=message, step=progress["step"], epoch=progress["epoch"]))
            return None
        return snapshot

    def _write_best(self, *, in_place: bool = False) -> None:
        """Write the staged best, or with `in_place` the training's own tensors, and wait until they are written."""
        state, self._staged = self._state() if in_place else self._staged, None
        assert state is not None
        self._last_best = time.monotonic()
        progress = state["progress"]
        name = f"{self._prefix}{files.BEST}"
        request = SaveRequest((("best", name),), "best", progress["step"], progress["epoch"])
        self._writer.start(request, state, snapshot=not in_place)
        if in_place:
            self.finish()

    def _report(self, result: SaveResult) -> None:
        request, error = result.request, result.error
        position = {"step": request.step, "epoch": request.epoch}
        if error is not None:
            self._report_failure(request, error, position)
            if request.kind == "best" and self._staged is None and not isinstance(error, NotFinite):
                self._staged = result.state or None
        else:
            self._failed = self._failed and request.kind != "latest"
            self._snapshots.release(result.state)
            for kind, name in request.names:
                path = f"checkpoints/{name}"
                self._emit(
                    CheckpointSaved(
                        path=path,
                        kind=kind,
                        bytes=result.bytes,
                        seconds=result.seconds,
                        cause=request.cause,
                        **position,
                    )
                )
            if self._keep:
                files.prune(self._folder.checkpoints, self._keep)
        status, message = ("failed", _reason(error)) if error else ("done", f"saved step {request.step}")
        self._answer(request.commands, status, message, position)

    def _answer(self, commands: tuple[str, ...], status: str, message: str, position: dict[str, int]) -> None:
        for command in commands:
            self._emit(CommandAnswered(id=command, command="save", status=status, message=message, **position))

    def _report_failure(self, request: SaveRequest, error: Exception, position: dict[str, int]) -> None:
        self._failed = self._failed or request.kind == "latest"
        self._retry_at = time.monotonic() + RETRY_INTERVAL
        self._saved_step = self._saved_epoch = -1
        if isinstance(error, FolderLost):
            self._lost = str(error)
            message = f"Could not save {request.names[0][1]}: {error}."
            self._emit(Warned(kind="save_failed", message=message, **position))
            return
        kind = "nan" if isinstance(error, NotFinite) else "save_failed"
        retry = "" if self._over else f"; retrying in {RETRY_INTERVAL:.0f} s"
        message = f"Could not save {request.names[0][1]}: {_reason(error)}. The previous checkpoint is kept{retry}."
        self._emit(Warned(kind=kind, message=message, **position))


def _reason(error: Exception) -> str:
    """Return why a save failed, in the words of the system or the writer."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
