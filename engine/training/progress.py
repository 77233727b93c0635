"""How far a training has come, and the clock that measures its time."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Any


@dataclass
class Progress:
    """Counts since the start of the run, or of the fold."""

    epoch: int = 0
    """Completed epochs."""
    batch: int = 0
    """Batches taken in the current epoch."""
    step: int = 0
    """Optimizer steps."""
    samples: int = 0
    """Training samples."""
    seconds: float = 0.0
    """Seconds of training and evaluation, without pauses."""
    evaluated: int = 0
    """Step of the last complete scheduled evaluation; an interrupted one is repeated on resume."""
    fold: int = 0
    """Current fold, from 0."""

    @property
    def epoch_number(self) -> int:
        """The current epoch, counted from 1."""
        return self.epoch + (self.batch > 0)

    @property
    def position(self) -> dict[str, Any]:
        """`step` and `epoch` as the fields of an event."""
        return {"step": self.step, "epoch": self.epoch_number}

    def state_dict(self) -> dict[str, Any]:
        """Return the counts as plain data."""
        return dataclasses.asdict(self)

    def load_state_dict(self, counts: dict[str, Any]) -> None:
        """Take the counts of a checkpoint; a missing one keeps its value, an unknown one is ignored."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, counts.get(field.name, getattr(self, field.name)))


class Clock:
    """Adds the elapsed time to a `Progress` while it runs."""

    def __init__(self, progress: Progress) -> None:
        """Start stopped."""
        self._progress = progress
        self._since: float | None = None

    def start(self) -> None:
        """Count from now on."""
        self._since = time.monotonic()

    def stop(self) -> None:
        """Add the time since the last reading, then stop counting."""
        self.read()
        self._since = None

    def read(self) -> None:
        """Add the time since the last reading, unless the clock is stopped."""
        if self._since is not None:
            now = time.monotonic()
            self._progress.seconds, self._since = self._progress.seconds + now - self._since, now
