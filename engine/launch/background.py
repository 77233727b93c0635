"""Starts the engine alone in a process and session of its own, where no terminal's end can reach it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from ..errors import RequestError, RunError
from ..runs.events import RunStarted
from ..runs.folder import RunFolder
from ..runs.journal import Events

PATIENCE = 120.0  # seconds until the training must have begun; torch on a cold network disk takes long
LOOK = 0.05


def start(folder: RunFolder, checkpoint: str | None = None) -> int:
    """Train the run in a background process, and return its pid once the training has begun.

    Raises RequestError, with the engine's own words, where it did not begin.
    """
    events = Events(folder.events, at_end=True)
    log = os.open(folder.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "stoker.engine", str(folder.path.resolve()), *([checkpoint] if checkpoint else [])],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if any(isinstance(event, RunStarted) for event in events.read_events()):
            return process.pid
        if process.poll() is not None:
            raise RequestError(_last_words(folder))
        time.sleep(LOOK)
    raise RunError(f"run {folder.name} did not begin within {PATIENCE:.0f} s: see {folder.log}")


def _last_words(folder: RunFolder) -> str:
    lines = folder.log.read_text(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("stoker: ") if lines else f"the engine ended at once: see {folder.log}"
