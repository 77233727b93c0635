"""Start the engine in a separate process and session, so that closing the terminal does not end it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from ..errors import RequestError, RunError
from ..runs.events import RunStarted
from ..runs.folder import RunFolder
from ..runs.journal import EventFollower

STARTUP_TIMEOUT = 120.0  # seconds until the training must have started: importing torch from a network disk is slow
POLL_INTERVAL = 0.05  # seconds between two reads of the events


def start(folder: RunFolder, checkpoint: str | None = None) -> int:
    """Train the run in a background process, and return its pid once the training has started.

    Raises RequestError with the engine's own message where the training did not start, RunError after STARTUP_TIMEOUT.
    """
    events = EventFollower(folder.events, at_end=True)
    arguments = [checkpoint] if checkpoint else []
    log = os.open(folder.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        process = subprocess.Popen(
            # -P: a module of the current folder, such as a `profile.py`, must not hide one of Python's.
            [sys.executable, "-P", "-m", "stoker.engine", str(folder.path.resolve()), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)
    deadline = time.monotonic() + STARTUP_TIMEOUT
    while time.monotonic() < deadline:
        if any(isinstance(event, RunStarted) for event in events.read_events()):
            return process.pid
        if process.poll() is not None:
            raise RequestError(_last_line(folder))
        time.sleep(POLL_INTERVAL)
    raise RunError(f"run {folder.name} did not start within {STARTUP_TIMEOUT:.0f} s: see {folder.log}")


def _last_line(folder: RunFolder) -> str:
    """Return the error that the engine printed last."""
    lines = folder.log.read_text(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("stoker: ") if lines else f"the engine ended at once: see {folder.log}"
