"""Run folders: create, find, list, lock and delete them. A run is a folder; every other program reads only that."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import RunError
from . import lock
from .events import Event, decode
from .record import Record, read_record, write_record
from .status import state_of

NAME = re.compile(r"[^/\x00-\x1f]+")
LONGEST_NAME = 100  # characters: a run's name must fit into tables and on one line of a terminal
TAIL = 256 * 1024  # bytes at the end of events.jsonl: enough events to tell a run's state


@dataclass(frozen=True)
class RunFolder:
    """The files inside one run's folder. Nothing here needs torch."""

    path: Path

    @property
    def name(self) -> str:
        """The run's name: that of its folder."""
        return self.path.name

    @property
    def events(self) -> Path:
        """`events.jsonl`: everything that happened, written by the engine."""
        return self.path / "events.jsonl"

    @property
    def commands(self) -> Path:
        """`commands.jsonl`: commands for the engine, appended by other processes."""
        return self.path / "commands.jsonl"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints and their checksums."""
        return self.path / "checkpoints"

    @property
    def log(self) -> Path:
        """`engine.log`: the printed output of the engine, the task and its libraries."""
        return self.path / "engine.log"

    def record(self) -> Record:
        """Read `run.json`. Raises RunError if this is not a run folder."""
        return read_record(self.path / "run.json")

    def write_record(self, record: Record) -> None:
        """Replace `run.json` atomically. Raises OSError."""
        write_record(self.path / "run.json", record)

    def lock(self) -> AbstractContextManager[None]:
        """Hold the run's lock during a `with` block, as an engine does while it trains.

        Raises RunLocked, which names the holder, if an engine holds it; RunError if the folder cannot be written.
        """
        return lock.hold(self.path / "lock")

    def locked(self) -> bool:
        """Return whether an engine trains this run now."""
        return lock.is_held(self.path / "lock")

    def holder(self) -> str:
        """Return the engine that holds the lock, or held it last: `process PID on HOST`."""
        return lock.describe_holder(self.path / "lock")

    def is_remote(self) -> bool:
        """Return whether the engine that holds the lock, or held it last, is on another machine."""
        host, pid = lock.holder(self.path / "lock")
        return bool(pid) and host != socket.gethostname()

    def last_events(self) -> list[Event]:
        """Return the events in the last 256 KiB of the journal, oldest first: enough to tell the run's state."""
        try:
            with self.events.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - TAIL))
                lines = file.read().split(b"\n")
        except OSError:
            return []
        return [event for line in lines[:-1] if (event := decode(line)) is not None]

    def state(self) -> str:
        """Return the run's state now: training, paused, lost, new, or how it finished."""
        return state_of(self.last_events(), alive=self.locked())


def create(runs: Path, task: str, name: str | None, record: dict[str, Any]) -> RunFolder:
    """Create a run folder in `runs` that only its owner can read, with its `run.json`.

    `record` holds further fields of Record, such as `parameters` and `given`. Without a `name` the run is named after
    its task and the time. Raises RunError if the name is invalid or taken, or the folder cannot be made.
    """
    stem = name or _default_name(task)
    _check_name(stem)
    for number in range(1, 1000):
        folder = RunFolder(runs / (stem if number == 1 else f"{stem}-{number}"))
        try:
            runs.mkdir(parents=True, exist_ok=True)
            folder.path.mkdir(mode=0o700)
        except FileExistsError:
            if name:
                raise RunError(
                    f"run {name!r} exists in {runs}: choose another --name, or `stoker resume {name}`"
                ) from None
            continue
        except OSError as error:
            raise RunError(f"cannot create run folder {folder.path}: {error.strerror}") from error
        folder.checkpoints.mkdir(mode=0o700)
        folder.write_record(
            Record(run=folder.name, task=task, host=socket.gethostname(), started=time.time(), **record)
        )
        return folder
    raise RunError(f"no free name for {stem!r} in {runs}: choose a --name")


def find_run(runs: Path, name: str) -> RunFolder:
    """Return the run called `name` in the folder `runs`, or the one at that path. Raises RunError."""
    for path in (runs / name, Path(name)):
        if path.is_dir():
            folder = RunFolder(path)
            folder.record()
            return folder
    known = ", ".join(folder.name for folder in list_runs(runs)[:5]) or "none yet"
    raise RunError(f"no run {name!r} in {runs} (newest: {known})")


def list_runs(runs: Path) -> list[RunFolder]:
    """Return the runs in the folder `runs`, the one with the newest event first."""
    try:
        folders = [RunFolder(path) for path in runs.iterdir() if (path / "run.json").is_file()]
    except OSError:
        return []
    return sorted(folders, key=lambda folder: (_modified(folder), folder.name), reverse=True)


def delete(folder: RunFolder) -> None:
    """Delete a run with everything in its folder. Raises RunLocked while an engine trains it, else RunError."""
    with folder.lock():
        try:
            # Remove run.json first, so that an interrupted removal leaves no folder that is listed as a run.
            (folder.path / "run.json").unlink()
            shutil.rmtree(folder.path)
        except OSError as error:
            raise RunError(f"run {folder.name} cannot be deleted: {error.strerror or error}") from error


def _check_name(name: str) -> None:
    valid = NAME.fullmatch(name) and name.strip() and name[0] not in ".-"
    if not valid or len(name) > LONGEST_NAME or len(name.encode()) > 255:
        shown = name if len(name) <= LONGEST_NAME else name[:20] + "…"
        raise RunError(
            f"Invalid run name {shown!r}: it must not be blank, contain a slash or start with '.' or '-'"
            f" (at most {LONGEST_NAME} characters and 255 bytes)"
        )


def _default_name(task: str) -> str:
    stem = Path(task.rpartition(":")[2]).stem.strip(" .-")[:50] or "run"
    return f"{stem}-{datetime.now():%Y%m%d-%H%M%S}"


def _modified(folder: RunFolder) -> float:
    path = folder.events if folder.events.exists() else folder.path
    return path.stat().st_mtime
