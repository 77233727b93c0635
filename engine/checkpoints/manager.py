"""When to save what: latest by the clock or the count, best when it is found, numbered ones to keep."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..config.specs import Every
from ..runs.events import CheckpointSaved, CommandAnswered, Event, Warned
from ..runs.folder import RunFolder
from . import checksums as sums
from . import files as checkpoint
from .snapshots import Snapshots
from .writer import NotFinite, Save, Saved, Saver

CLOCK = 300.0  # seconds between two saves of latest, unless asked otherwise
EPOCH_AGE = 60.0  # at the end of an epoch, seconds after which the last save is old enough for a new one
BEST_APART = 1.0  # seconds between two writes of best; a newer best waits in memory, where a fast run makes many
RETRY = 30.0  # seconds until a save that failed is tried again


class Keeper:
    """Decides on saves, hands them to the saver, and says how they ended."""

    def __init__(
        self,
        folder: RunFolder,
        every: str | None,
        keep: int,
        state: Callable[[], dict[str, Any]],
        say: Callable[[Event], None],
        wake: Callable[[], None],
        fold: int | None,
        *,
        finite: bool,
    ) -> None:
        """Save into `folder` what `state` returns: the complete state, its tensors still those of the training.

        With `finite`, a model that holds NaN or infinity is not saved.
        """
        self._folder, self._keep, self._state, self._say = folder, keep, state, say
        self._every = Every.parse(every, what="--save-every", time=True) if every else None
        self._prefix = f"fold-{fold}-" if fold is not None else ""
        self._saver = Saver(folder, finite, wake)
        self._snapshots = Snapshots()
        self._last = time.monotonic()
        self._saved_step = self._saved_epoch = -1
        self._failed = False
        self._retry = 0.0
        self._held: dict[str, Any] | None = None
        self._last_best = 0.0
        self._over = False

    def start(self, step: int, epoch: int) -> None:
        """Count from here: what is at `step` is on the disk already, or is the beginning."""
        self._saved_step, self._saved_epoch = step, epoch

    def due(self, step: int, epoch: int, now: float, *, epoch_ended: bool) -> bool:
        """Say whether `latest` should be saved at `now`, of `time.monotonic()`, between two batches."""
        if step == self._saved_step or now < self._retry:
            return False
        # One that is under way is not queued behind: the next is due again at the next batch. But a numbered one is of
        # its own step and no later one.
        return self._due(step, epoch, now, epoch_ended) and (self._keep > 0 or not self._saver.busy)

    def _due(self, step: int, epoch: int, now: float, epoch_ended: bool) -> bool:
        if self._failed:
            return True
        if self._every is None:
            age = now - self._last
            return age >= CLOCK or (epoch_ended and age >= EPOCH_AGE)
        if self._every.unit == "s":
            return now - self._last >= self._every.count
        # Not only where the count is reached: another save may be under way just then.
        now_at, saved_at = (step, self._saved_step) if self._every.unit == "steps" else (epoch, self._saved_epoch)
        return now_at // self._every.count > saved_at // self._every.count

    def hold_best(self) -> None:
        """Take a snapshot of the best state; it is written at once, or soon if one was just written."""
        if self._held is not None:
            self._snapshots.give_back(self._held)
        self._held = self._snapshots.take(self._state())

    def tend(self) -> None:
        """On the clock: say which saves ended, and write a best that waits."""
        self.collect()
        now = time.monotonic()
        if self._held is not None and not self._saver.busy and now >= max(self._last_best + BEST_APART, self._retry):
            self._write_best()

    def latest(self, cause: str, *, commands: tuple[str, ...] = (), wait: bool = False) -> bool:
        """Save `latest`; with `wait`, return when it is safe, and say whether it is."""
        self.collect()
        if self._held is not None:
            # First, so that best.pt is never older than the best that latest.pt knows of.
            self._write_best()
        if self._keep:
            # Where steps are faster than the disk, snapshots would fill the memory.
            self.finish()
        kinds = [("latest", sums.LATEST)]
        state = self._snapshots.take(self._state())
        progress = state["progress"]
        if self._keep and cause == "schedule":
            kinds.append(("kept", f"{self._prefix}step-{progress['step']:09d}.pt"))
        self._last = time.monotonic()
        self._saved_step, self._saved_epoch = progress["step"], progress["epoch"]
        self._saver.start(Save(tuple(kinds), cause, progress["step"], progress["epoch"], commands), state)
        return self.finish()[-1].error is None if wait else True

    def last(self, cause: str) -> bool:
        """Save `latest` when the training has ended, and say whether it is safe; nothing is tried again after it."""
        self._over = True
        return self.latest(cause, wait=True)

    def finish(self) -> list[Saved]:
        """Wait for the saves under way and say how they ended."""
        if self._held is not None:
            self._write_best()
        ended = self._saver.wait()
        for saved in ended:
            self._report(saved)
        return ended

    def collect(self) -> None:
        """Say how the saves that have ended since went."""
        for saved in self._saver.results():
            self._report(saved)

    def close(self) -> None:
        """Wait for what is under way and end the writing thread."""
        self._over = True
        self.finish()
        self._held = None  # a best that could not be written now will not be later
        self._saver.close()

    def _write_best(self) -> None:
        state, self._held = self._held, None
        assert state is not None
        self._last_best = time.monotonic()
        progress = state["progress"]
        name = f"{self._prefix}{checkpoint.BEST}"
        self._saver.start(Save((("best", name),), "best", progress["step"], progress["epoch"]), state)

    def _report(self, saved: Saved) -> None:
        save = saved.save
        place = {"step": save.step, "epoch": save.epoch}
        if saved.error is not None:
            self._report_failure(save, saved.error, place)
            if save.kinds[0][0] == "best" and self._held is None and not isinstance(saved.error, NotFinite):
                self._held = saved.state
        else:
            self._failed = self._failed and save.kinds[0][0] != "latest"
            self._snapshots.give_back(saved.state)
            for kind, name in save.kinds:
                path = f"checkpoints/{name}"
                self._say(
                    CheckpointSaved(
                        path=path, kind=kind, bytes=saved.bytes, seconds=saved.seconds, cause=save.cause, **place
                    )
                )
            if self._keep:
                checkpoint.prune(self._folder.checkpoints, self._keep)
        for command in save.commands:
            status = "failed" if saved.error else "done"
            message = reason(saved.error) if saved.error else f"saved step {save.step}"
            self._say(CommandAnswered(id=command, command="save", status=status, message=message, **place))

    def _report_failure(self, save: Save, error: Exception, place: dict[str, int]) -> None:
        self._failed = self._failed or save.kinds[0][0] == "latest"
        self._retry = time.monotonic() + RETRY
        self._saved_step = self._saved_epoch = -1
        kind = "nan" if isinstance(error, NotFinite) else "save_failed"
        name = save.kinds[0][1]
        again = "" if self._over else f", tried again in {RETRY:.0f} s"
        message = f"{name} was not saved: {reason(error)}; the one before stays{again}"
        self._say(Warned(kind=kind, message=message, **place))


def reason(error: Exception) -> str:
    """Return why a save failed, as the system or the saver puts it."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
