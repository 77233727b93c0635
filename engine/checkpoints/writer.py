"""Write snapshots in a thread, one at a time, so that training waits only for the copy in memory."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import torch
from torch import Tensor

from ..files import sync_file
from ..runs.folder import RunFolder
from . import files


@dataclass(frozen=True)
class SaveRequest:
    """A save to make; `commands` are the ids of commands to answer when the file is safe."""

    names: tuple[tuple[str, str], ...]
    """(kind, file name) of each name that the file gets."""
    cause: str
    step: int
    epoch: int
    commands: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The kind of the first name: `latest` or `best`."""
        return self.names[0][0]


@dataclass(frozen=True)
class SaveResult:
    """The result of a save: `error` is None when the file is safe."""

    request: SaveRequest
    bytes: int = 0
    seconds: float = 0.0
    error: Exception | None = None
    state: dict[str, Any] = field(default_factory=dict)
    """The snapshot, to be tried again, or to be released; empty where the training's own tensors were written."""


class NotFinite(Exception):
    """The model holds NaN or infinity, so the last good checkpoint is kept."""


class FolderLost(Exception):
    """The folder at the run's path is no longer the one that the engine locked."""


@dataclass
class CheckpointWriter:
    """Gives snapshots to the writer thread and their results back to the loop."""

    folder: RunFolder
    finite: bool
    """Refuse a model that is not finite; checked in the thread, so that training does not wait for it."""
    on_done: Callable[[], None]
    """Called from the writer thread after each save, to wake a loop that waits."""
    lost: Callable[[], str | None] = lambda: None
    """Returns why nothing may be written into the folder any more, or None; asked before each save."""
    wait_for_copy: Callable[[dict[str, Any]], None] = lambda _: None
    """Returns when the device has copied a snapshot; called from the writer thread."""
    _jobs: SimpleQueue[tuple[SaveRequest, dict[str, Any], bool] | None] = field(default_factory=SimpleQueue)
    _results: SimpleQueue[SaveResult] = field(default_factory=SimpleQueue)
    _open: int = 0
    _thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether a save is running."""
        return self._open > self._results.qsize()

    def start(self, request: SaveRequest, state: dict[str, Any], *, snapshot: bool = True) -> None:
        """Write `state`; the caller must `wait` before the next step where it is no snapshot."""
        self._open += 1
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="stoker-checkpoint-writer", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                # The system has no room for another thread: the training waits for the write.
                self._write(request, state, snapshot)
                return
            self._thread = thread
        self._jobs.put((request, state, snapshot))

    def results(self) -> list[SaveResult]:
        """Return the saves that ended since the last call."""
        ended: list[SaveResult] = []
        while not self._results.empty():
            ended.append(self._results.get())
        self._open -= len(ended)
        return ended

    def wait(self) -> list[SaveResult]:
        """Wait until no save is running, and return those that ended."""
        ended = [self._results.get() for _ in range(self._open)]
        self._open = 0
        return ended

    def close(self) -> None:
        """End the thread; call `wait` first."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            request, state, snapshot = job
            del job
            self._write(request, state, snapshot)
            del state

    def _write(self, request: SaveRequest, state: dict[str, Any], snapshot: bool) -> None:
        start = time.monotonic()
        kept = state if snapshot else {}
        try:
            if snapshot:
                self.wait_for_copy(state)
            if self.finite and not all_finite(state["model"].values()):
                raise NotFinite("the model holds NaN or infinity")
            if (reason := self.lost()) is not None:
                raise FolderLost(reason)
            # Sync the journal first: a checkpoint never lacks its events, not even after a power cut.
            with contextlib.suppress(FileNotFoundError):
                sync_file(self.folder.events)
            size = files.write(self.folder.checkpoints, [name for _, name in request.names], state)
            result = SaveResult(request, size, time.monotonic() - start, state=kept)
        except Exception as error:  # report every error as a result, because the loop waits for one
            result = SaveResult(request, seconds=time.monotonic() - start, error=error, state=kept)
        self._results.put(result)
        self.on_done()


def all_finite(values: Iterable[Any]) -> bool:
    """Return whether every number in the floating-point tensors among `values` is finite."""
    tensors = (value for value in values if isinstance(value, Tensor) and value.is_floating_point())
    # A sum reads the memory once, and is finite unless a number is not, or the sum overflows.
    return all(bool(torch.isfinite(t.sum())) or bool(torch.isfinite(t).all()) for t in tensors)
