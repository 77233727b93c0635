"""The lock of a run folder: an engine holds it while it trains, so that two engines never train the same run.

It is an flock on the file `lock`, which the system releases when the process dies. The file's content, `HOST PID`,
names the last holder.
"""

from __future__ import annotations

import contextlib
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


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the lock file at `path` during the block.

    Raises RunLocked, which names the holder, if another engine holds it, and RunError if it cannot be written.
    """
    try:
        file = open_regular(path, os.O_RDWR | os.O_CREAT, follow=False)
    except OSError as error:
        raise RunError(f"run folder {path.parent} cannot be written: {error.strerror}") from error
    try:
        for attempt in range(TRIES):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if attempt == TRIES - 1:
                    raise RunLocked(
                        f"run {path.parent.name} is already being trained by {describe_holder(path)}"
                    ) from None
                time.sleep(TRY_INTERVAL)
        _held.add(file)
        os.ftruncate(file, 0)
        os.pwrite(file, f"{socket.gethostname()} {os.getpid()}\n".encode(), 0)
        yield
    finally:
        _held.discard(file)
        os.close(file)


def is_held(path: Path) -> bool:
    """Return whether an engine holds the lock file at `path` now."""
    try:
        file = open_regular(path, follow=False)
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
