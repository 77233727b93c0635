"""The lock of a run folder: an engine holds it while it trains, so that two engines never train the same run.

It is an flock on the file `lock`, which the system releases when the process dies. The file's content, `HOST PID`,
names the last holder. Some network disks have no flock: there an engine trains without it, and empties the file when it
ends, so that a reader can go by the file's content.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from ..errors import RunError, RunLocked
from ..files import open_regular, read_regular

TRIES = 10  # attempts to get the lock: a reader that tests it holds it for an instant
MAX_SIZE = 4096  # bytes: a host and a process id
TRY_INTERVAL = 0.02  # seconds between two attempts

_held: set[int] = set()


def _close_after_fork() -> None:
    # A forked DataLoader worker would keep the lock of a killed engine for as long as it lives.
    for file in _held:
        os.close(file)


os.register_at_fork(after_in_child=_close_after_fork)


class HeldLock:
    """The lock of an engine. It tells whether the path of the run still leads to the folder that was locked."""

    def __init__(self, path: Path, file: int) -> None:
        """Remember the folder of the open lock file `file` at `path`. Raises OSError."""
        self._path, self._file = path, file
        self._folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.warning: str | None = None
        """Why the run is trained without a lock; None where it is locked."""

    def lost(self) -> str | None:
        """Return why the engine must not write into the run's folder any more, or None.

        A folder that is missing, or that cannot be looked at now, is no other run's: a write into it fails by itself.
        """
        try:
            if not _same(self._folder, self._path.parent):
                return f"{self._path.parent} is another folder now: this run's own folder was moved or deleted"
            if _same(self._file, self._path):
                return None
        except OSError:
            return None
        return f"{self._path} was replaced: another engine may train this run"

    def close(self) -> None:
        """Release the lock."""
        with contextlib.suppress(OSError):
            if self.warning is not None:
                os.ftruncate(self._file, 0)
        for file in (self._file, self._folder):
            _held.discard(file)
            os.close(file)


@contextlib.contextmanager
def hold(path: Path) -> Iterator[HeldLock]:
    """Hold the lock file at `path` during the block. Without locks in the file system the result has a `warning`.

    Raises RunLocked, which names the holder, if another engine holds it, and RunError if it cannot be written.
    """
    try:
        file = open_regular(path, os.O_RDWR | os.O_CREAT, follow=False)
        held = HeldLock(path, file)
    except OSError as error:
        raise RunError(f"run folder {path.parent} cannot be written: {error.strerror}") from error
    try:
        for attempt in range(TRIES):
            # A killed engine in a container often had the process id that this one has.
            state, problem = _flock(file, path, fcntl.LOCK_EX, own=False)
            if state != "held":
                break
            if attempt == TRIES - 1:
                raise RunLocked(f"run {path.parent.name} is already being trained by {describe_holder(path)}")
            time.sleep(TRY_INTERVAL)
        _held.update((file, held._folder))
        with contextlib.suppress(OSError):
            # On a full disk the name of the holder is lost, but not the lock.
            os.ftruncate(file, 0)
            os.pwrite(file, f"{socket.gethostname()} {os.getpid()}\n".encode(), 0)
        if problem is not None:
            held.warning = (
                f"the file system of {path.parent} has no locks ({problem.strerror}), so the run trains without one:"
                " do not start it a second time"
            )
        yield held
    finally:
        held.close()


def is_held(path: Path) -> bool:
    """Return whether an engine holds the lock file at `path` now."""
    try:
        file = open_regular(path, follow=False)
    except OSError:
        return False
    try:
        # Shared, so that two readers never take each other for an engine.
        return _flock(file, path, fcntl.LOCK_SH, own=True)[0] == "held"
    finally:
        os.close(file)


def _flock(file: int, path: Path, kind: int, *, own: bool) -> tuple[str, OSError | None]:
    """Try to lock, and return `held` where an engine holds the lock, else `free`, with the error if locks do not work."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return "held", None
        return ("held" if _names_engine(path, own=own) else "free"), error
    return "free", None


def _names_engine(path: Path, *, own: bool) -> bool:
    """Return whether the lock file names an engine that lives; `own` is the answer for this process.

    An engine on another machine lives until it empties the file.
    """
    host, pid = holder(path)
    if host != socket.gethostname():
        return bool(pid)
    if pid == str(os.getpid()):
        return own
    try:
        os.kill(int(pid), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except OSError:
        return True
    return True


def _same(file: int, path: Path) -> bool:
    one, other = os.fstat(file), path.stat()
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def holder(path: Path) -> tuple[str, str]:
    """Return (host, process id) of the last holder; both are empty if the file cannot be read."""
    try:
        host, _, pid = read_regular(path, MAX_SIZE).decode(errors="replace").strip().partition(" ")
    except OSError:
        return ("", "")
    return (host, pid)


def describe_holder(path: Path) -> str:
    """Return the last holder as words: `process PID on HOST`."""
    host, pid = holder(path)
    return f"process {pid} on {host}" if pid else "another process"
