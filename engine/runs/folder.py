"""Run folders: create, find, list, lock and delete them. A run is a folder; every other program reads only that."""

from __future__ import annotations

import re
import secrets
import shutil
import socket
import stat
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import RunError
from . import lock
from .events import EarlyStopping, Event
from .record import Record, read_record, write_record
from .status import state_of
from .tail import last_early_stopping, last_events

NAME = re.compile(r"[^/\x00-\x1f]+")
LONGEST_NAME = 100  # characters: a run's name must fit into tables and on one line of a terminal
DELETED = ".deleted"  # end of the hidden name that a run has while its files are removed


@dataclass(frozen=True)
class RunFolder:
    """The files inside one run's folder. Nothing here needs torch."""

    path: Path
    """Its absolute path: a task may change the current folder while it trains."""

    def __post_init__(self) -> None:
        """Make the path absolute. A symbolic link keeps its own name."""
        if not self.path.is_absolute():
            object.__setattr__(self, "path", self.path.absolute())

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

    def lock(self) -> AbstractContextManager[lock.HeldLock]:
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
        """Return the events at the end of the journal, oldest first: enough to tell the run's state."""
        return last_events(self.events)

    def last_early_stopping(self) -> EarlyStopping | None:
        """Return the newest event of the early-stopping counter, further back than `last_events` looks."""
        return last_early_stopping(self.events)

    def state(self) -> str:
        """Return the run's state now: training, paused, lost, new, or how it finished."""
        return state_of(self.last_events(), alive=self.locked())


def create(runs: Path, task: str, name: str | None, record: dict[str, Any]) -> RunFolder:
    """Create a run folder in `runs` that only its owner can read, with its `run.json`.

    `record` holds further fields of Record, such as `parameters` and `given`. Without a `name` the run is named after
    its task and the time. Raises RunError if the name is invalid or taken, or the folder cannot be made.
    """
    stem = name or _default_name(task)
    _check_text(stem, task, record)
    _check_name(stem)
    _check_link(runs)
    try:
        runs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot create runs folder {runs}: {error.strerror}") from error
    for number in range(1, 1000):
        folder = RunFolder(runs / (stem if number == 1 else f"{stem}-{number}"))
        try:
            folder.path.mkdir(mode=0o700)
        except FileExistsError:
            if name and not (folder.path / "run.json").exists():
                raise RunError(
                    f"{runs / name} exists and is not a run folder: choose another --name, or remove it"
                ) from None
            if name:
                raise RunError(
                    f"run {name!r} exists in {runs}: choose another --name, or `stoker resume {name}`"
                ) from None
            continue
        except OSError as error:
            raise RunError(f"cannot create run folder {runs / folder.name}: {error.strerror}") from error
        try:
            folder.checkpoints.mkdir(mode=0o700)
            folder.write_record(
                Record(run=folder.name, task=task, host=socket.gethostname(), started=time.time(), **record)
            )
        except OSError as error:
            # A name must not stay taken by a run that could not begin, on a full disk for one.
            shutil.rmtree(folder.path, ignore_errors=True)
            raise RunError(f"cannot create run folder {runs / folder.name}: {error.strerror}") from error
        return folder
    raise RunError(f"no free name for {stem!r} in {runs}: choose a --name")


def find_run(runs: Path, name: str) -> RunFolder:
    """Return the run called `name` in the folder `runs`, or the one at that path. Raises RunError."""
    for path in (runs / name, Path(name)):
        if _is_folder(path):
            read_record(path / "run.json")
            return RunFolder(path)
    known = ", ".join(folder.name for folder in list_runs(runs)[:5]) or "none yet"
    shown = name if len(name) <= LONGEST_NAME else name[:20] + "…"
    raise RunError(f"no run {shown!r} in {runs} (newest: {known})")


def list_runs(runs: Path) -> list[RunFolder]:
    """Return the runs in the folder `runs`, the one with the newest event first.

    Folders that may not be read, such as another user's, are left out. Raises RunError if `runs` cannot be read.
    """
    return scan_runs(runs)[0]


def scan_runs(runs: Path) -> tuple[list[RunFolder], int]:
    """Return what `list_runs` returns, and the number of folders that may not be read. Raises RunError."""
    found: list[tuple[float, str, RunFolder]] = []
    unreadable = 0
    _check_link(runs)
    try:
        paths = list(runs.iterdir())
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise RunError(f"runs folder {runs} cannot be read: {error.strerror}") from error
    for path in paths:
        if path.name[0] == ".":
            continue
        folder = RunFolder(path)
        try:
            if stat.S_ISREG((path / "run.json").stat().st_mode):
                found.append((_modified(folder), folder.name, folder))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            unreadable += 1
    return [folder for *_, folder in sorted(found, key=lambda entry: entry[:2], reverse=True)], unreadable


def _check_link(runs: Path) -> None:
    """Refuse a link to nothing in the place of a folder of runs. Raises RunError."""
    if runs.is_symlink() and not runs.exists():
        raise RunError(
            f"runs folder {runs} is a link to {runs.readlink()}, which does not exist: create it, or name another"
        )


def delete(folder: RunFolder) -> None:
    """Delete a run with everything in its folder. Raises RunLocked while an engine trains it, else RunError.

    Of a run that is a symbolic link, the link and the folder that it leads to are deleted.
    """
    with folder.lock():
        real = folder.path.resolve()
        doomed = real.with_name(f".{folder.name[:50]}.{secrets.token_hex(6)}{DELETED}")
        try:
            link = folder.path.readlink() if folder.path.is_symlink() else None
            if link is not None:
                folder.path.unlink()
            try:
                # A rename takes the run whole or not at all; its name is free even if the removal is interrupted.
                real.rename(doomed)
            except OSError:
                if link is not None:
                    folder.path.symlink_to(link)
                raise
        except OSError as error:
            raise RunError(f"run {folder.name} cannot be deleted: {error.strerror or error}") from error
        for interrupted in real.parent.glob(f".*{DELETED}"):
            if interrupted != doomed:
                shutil.rmtree(interrupted, ignore_errors=True)
        try:
            shutil.rmtree(doomed)
        except OSError as error:
            raise RunError(
                f"run {folder.name} is deleted only in part ({error.strerror or error}): remove the rest, {doomed}"
            ) from error


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name too long, or with a null byte
        return False


def _text(value: Any) -> None:
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, dict):
        for pair in value.items():
            _text(pair)
    elif isinstance(value, list | tuple):
        for item in value:
            _text(item)


def _check_text(*values: Any) -> None:
    """Refuse bytes of a command line that are no UTF-8: run.json cannot hold them. Raises RunError."""
    for value in values:
        try:
            _text(value)
        except UnicodeEncodeError as error:
            raise RunError(
                f"{str(error.object)[:60]!r} is not valid UTF-8: write the name or value in UTF-8"
            ) from error


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
    try:
        return folder.events.stat().st_mtime
    except FileNotFoundError:
        return folder.path.stat().st_mtime
