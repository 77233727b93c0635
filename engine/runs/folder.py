"""Run folders: create, open, find, list and lock them. A run is a folder; everything else reads it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from ..errors import RunError, RunLocked
from .events import Event, Paused, Resumed, RunFinished, RunStarted, decode

NAME = re.compile(r"[^/\x00-\x1f]+")
LONGEST = 100  # characters of a run's name: it stands in tables and on one line of a terminal
TAIL = 256 * 1024  # bytes at the end of events.jsonl that tell a run's state
LOCK_TRIES = 10  # a reader that looks whether a run lives holds the lock for an instant

_held: set[int] = set()


def _let_go() -> None:
    # A forked DataLoader worker would keep the lock of a killed engine for as long as it lives.
    for file in _held:
        os.close(file)


os.register_at_fork(after_in_child=_let_go)


class Record(msgspec.Struct, kw_only=True):
    """`run.json`: what it takes to run it again."""

    run: str
    task: str
    parameters: dict[str, Any] = {}
    given: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    seed: int | None = None
    versions: dict[str, str] = {}
    git: dict[str, Any] | None = None
    sources: dict[str, str] = {}
    """sha256 of each file of the user's own that the task imported."""
    host: str = ""
    started: float = 0.0


@dataclass(frozen=True)
class RunFolder:
    """The paths inside one run's folder, and what can be said of it without torch."""

    path: Path

    @property
    def name(self) -> str:
        """The run's name: the folder's."""
        return self.path.name

    @property
    def events(self) -> Path:
        """What the engine said."""
        return self.path / "events.jsonl"

    @property
    def commands(self) -> Path:
        """What other processes ask."""
        return self.path / "commands.jsonl"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def log(self) -> Path:
        """What the engine, the task and its libraries printed."""
        return self.path / "engine.log"

    def record(self) -> Record:
        """Read `run.json`. Raises RunError."""
        try:
            return msgspec.json.decode((self.path / "run.json").read_bytes(), type=Record)
        except (OSError, msgspec.MsgspecError) as error:
            raise RunError(f"{self.path} is no run folder: run.json cannot be read ({error})") from error

    def write_record(self, record: Record) -> None:
        """Write `run.json`, whole or not at all. Raises OSError."""
        write_whole(self.path / "run.json", msgspec.json.format(msgspec.json.encode(record, enc_hook=str)) + b"\n")

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run while training it. Raises RunLocked, which says who holds it."""
        try:
            file = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise RunError(f"run folder {self.path} cannot be written: {error.strerror}") from error
        try:
            for attempt in range(LOCK_TRIES):
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    if attempt == LOCK_TRIES - 1:
                        raise RunLocked(f"run {self.name} is already being trained by {self.holder()}") from None
                    time.sleep(0.02)
            _held.add(file)
            os.ftruncate(file, 0)
            os.pwrite(file, f"{socket.gethostname()} {os.getpid()}\n".encode(), 0)
            yield
        finally:
            _held.discard(file)
            os.close(file)

    def locked(self) -> bool:
        """Say whether an engine trains this run now."""
        try:
            file = os.open(self.path / "lock", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            # Shared, so that two readers never take each other for an engine.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(file)
        return False

    def holder(self) -> str:
        """Say who holds the lock, or held it last."""
        host, _, pid = self._holder()
        return f"process {pid} on {host}" if pid else "another process"

    def elsewhere(self) -> bool:
        """Say whether the engine that holds or held the lock is on another machine."""
        host, _, pid = self._holder()
        return bool(pid) and host != socket.gethostname()

    def _holder(self) -> tuple[str, str, str]:
        try:
            return (self.path / "lock").read_text().strip().partition(" ")
        except OSError:
            return ("", "", "")

    def last_events(self) -> list[Event]:
        """Return the events at the end of the journal, enough to tell the run's state."""
        try:
            with self.events.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - TAIL))
                lines = file.read().split(b"\n")
        except OSError:
            return []
        return [event for line in lines[:-1] if (event := decode(line)) is not None]

    def state(self) -> str:
        """Say how the run stands: training, paused, lost, or how it finished."""
        return state(self.last_events(), alive=self.locked())


def state(events: list[Event], *, alive: bool) -> str:
    """Say how a run stands by its last events: new, training, paused, lost, or the cause of its end."""
    if not alive:
        for event in reversed(events):
            if isinstance(event, RunFinished):
                return event.cause
            if isinstance(event, RunStarted):
                break
        return "lost" if events else "new"
    for event in reversed(events):
        if isinstance(event, Paused):
            return "paused"
        if isinstance(event, Resumed | RunStarted):
            break
    return "training"


def create(runs: Path, task: str, name: str | None, record: dict[str, Any]) -> RunFolder:
    """Make a new run folder, readable by its owner alone. Raises RunError for a name that is taken or impossible."""
    stem = name or _made_up(task)
    if (
        not NAME.fullmatch(stem)
        or not stem.strip()
        or stem[0] in ".-"
        or len(stem) > LONGEST
        or len(stem.encode()) > 255
    ):
        raise RunError(
            f"run name {stem if len(stem) <= LONGEST else stem[:20] + '…'!r} cannot be: not blank, no slash,"
            f" no dot or dash at its start, at most {LONGEST} characters and 255 bytes"
        )
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
            raise RunError(f"cannot make run folder {folder.path}: {error.strerror}") from error
        folder.checkpoints.mkdir(mode=0o700)
        folder.write_record(
            Record(run=folder.name, task=task, host=socket.gethostname(), started=time.time(), **record)
        )
        return folder
    raise RunError(f"no free name for {stem!r} in {runs}")


def _made_up(task: str) -> str:
    stem = Path(task.rpartition(":")[0] or task).stem.strip(" .-")[:50] or "run"
    return f"{stem}-{datetime.now():%Y%m%d-%H%M%S}"


def find(runs: Path, name: str) -> RunFolder:
    """Return the run called `name` in `runs`, or at that path. Raises RunError."""
    for path in (runs / name, Path(name)):
        if path.is_dir():
            folder = RunFolder(path)
            folder.record()
            return folder
    known = ", ".join(folder.name for folder in list_runs(runs)[:5]) or "none yet"
    raise RunError(f"no run {name!r} in {runs} (newest: {known})")


def list_runs(runs: Path) -> list[RunFolder]:
    """Return the runs in the folder `runs`, newest first."""
    try:
        folders = [RunFolder(path) for path in runs.iterdir() if (path / "run.json").is_file()]
    except OSError:
        return []
    return sorted(folders, key=lambda folder: (_touched(folder), folder.name), reverse=True)


def _touched(folder: RunFolder) -> float:
    path = folder.events if folder.events.exists() else folder.path
    return path.stat().st_mtime


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file so that a reader sees the old or the new content, after a crash too. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(file, "wb") as stream:  # noqa: PTH123 - a descriptor
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def sync_file(path: Path) -> None:
    """Make what was written to `path` durable, whoever wrote it. Raises OSError."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def sync_folder(path: Path) -> None:
    """Make renames inside `path` durable. Raises OSError."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
