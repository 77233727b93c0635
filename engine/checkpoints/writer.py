"""Writes snapshots in a thread of its own, one at a time, so that training waits for the copy in memory alone."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from ..runs.folder import RunFolder, sync_file
from ..training.nan_guard import all_finite
from . import files as checkpoint


@dataclass(frozen=True)
class Save:
    """One save that was asked for; `commands` are the ids to answer when the bytes are safe."""

    kinds: tuple[tuple[str, str], ...]
    """(kind, file name) of each name that it is saved under."""
    cause: str
    step: int
    epoch: int
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Saved:
    """How a save ended: `error` is None when the bytes are safe."""

    save: Save
    bytes: int = 0
    seconds: float = 0.0
    error: Exception | None = None
    state: dict[str, Any] = field(default_factory=dict)
    """The snapshot, to be tried again or to be used for the next one."""


class NotFinite(Exception):
    """The model holds NaN or infinity, and the last good state must stay."""


@dataclass
class Saver:
    """Hands snapshots to the writing thread and their results back to the loop."""

    folder: RunFolder
    finite: bool
    """Refuse a model that is not finite; looked at here, so that training does not wait for it."""
    on_done: Callable[[], None]
    """Called from the writing thread when a result is there, to wake a loop that waits."""
    _jobs: SimpleQueue[tuple[Save, dict[str, Any]] | None] = field(default_factory=SimpleQueue)
    _results: SimpleQueue[Saved] = field(default_factory=SimpleQueue)
    _open: int = 0
    _thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Say whether a save is under way."""
        return self._open > self._results.qsize()

    def start(self, save: Save, state: dict[str, Any]) -> None:
        """Write `state`, which must be a snapshot."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="stoker-saver", daemon=True)
            self._thread.start()
        self._open += 1
        self._jobs.put((save, state))

    def results(self) -> list[Saved]:
        """Return the saves that ended since the last look."""
        ended: list[Saved] = []
        while not self._results.empty():
            ended.append(self._results.get())
        self._open -= len(ended)
        return ended

    def wait(self) -> list[Saved]:
        """Wait until nothing is under way and return the saves that ended."""
        ended = [self._results.get() for _ in range(self._open)]
        self._open = 0
        return ended

    def close(self) -> None:
        """Let the thread end; `wait` first."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            save, state = job
            start = time.monotonic()
            try:
                if self.finite and not all_finite(state["model"].values()):
                    raise NotFinite("the model holds NaN or infinity")
                # A checkpoint never lacks its history, not even after a power cut.
                with contextlib.suppress(FileNotFoundError):
                    sync_file(self.folder.events)
                size = checkpoint.write(self.folder.checkpoints, [name for _, name in save.kinds], state)
                saved = Saved(save, size, time.monotonic() - start, state=state)
            except Exception as error:  # whatever it was, the loop must hear of it, or it would wait for ever
                saved = Saved(save, seconds=time.monotonic() - start, error=error, state=state)
            del job, state
            self._results.put(saved)
            self.on_done()
