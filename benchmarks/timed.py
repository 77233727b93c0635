"""One training, timed: the bare loop, `stoker run --headless`, or `stoker run` with its dashboard in a terminal.

What is timed is the training alone: from run_started to run_finished as events.jsonl tells it, and the same of the loop.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stoker.engine import events, journal
from stoker.engine.events import Event

from .terminal import PROGRAM, Terminal


@dataclass(frozen=True)
class Timed:
    """What one training took."""

    seconds: float
    steps: int
    frames: int = 0
    bytes: int = 0


def bare(task: str, epochs: int, threads: int) -> Timed:
    """Time the loop a person would write, in a process of its own."""
    command = [sys.executable, "-m", f"{__package__}.bare", task, str(epochs), str(threads)]
    seconds, steps = json.loads(subprocess.check_output(command))
    return Timed(seconds, steps)


def headless(task: str, epochs: int, place: Path, options: tuple[str, ...] = ()) -> Timed:
    """Time the engine alone."""
    name = f"headless-{time.time_ns()}"
    subprocess.run(
        [PROGRAM, *_run(task, epochs, place, name), *options, "--headless"], stdout=subprocess.DEVNULL, check=True
    )
    return Timed(*window(place / name))


def dashboard(
    task: str,
    epochs: int,
    place: Path,
    options: tuple[str, ...] = (),
    *,
    columns: int = 120,
    rows: int = 40,
    read: bool = True,
) -> Timed:
    """Time the engine with the dashboard open."""
    name = f"dashboard-{time.time_ns()}"
    with Terminal([*_run(task, epochs, place, name), *options], columns=columns, rows=rows, read=read) as terminal:
        finished = wait_for_end(place / name)
        began = next(event.at for event in said(place / name) if isinstance(event, events.RunStarted))
        if read:
            terminal.end()
        seconds, steps = window(place / name)
        between = (began, finished.at)
        return Timed(seconds, steps, terminal.frames_between(*between), terminal.bytes_between(*between))


def wait_for_end(folder: Path) -> Event:
    """Wait until the run in `folder` has ended; returns its last event."""
    lines = journal.Lines(folder / "events.jsonl")
    while True:
        for line in lines.read():
            if b'"run_finished"' in line and (event := events.decode(line)) is not None:
                return event
        time.sleep(0.25)


def said(folder: Path) -> Iterator[Event]:
    """Return the events of the run in `folder`."""
    return (event for line in (folder / "events.jsonl").read_bytes().splitlines(True) if (event := events.decode(line)))


def window(folder: Path) -> tuple[float, int]:
    """Return the seconds from the first run_started to the last run_finished, and the step reached. Raises ValueError."""
    told = list(said(folder))
    began = next(event.at for event in told if isinstance(event, events.RunStarted))
    finished = next(event for event in reversed(told) if isinstance(event, events.RunFinished))
    if finished.cause != "completed":
        raise ValueError(f"the run ended early: {finished.cause} {finished.message}")
    return finished.at - began, finished.step or 0


def _run(task: str, epochs: int, place: Path, name: str) -> list[str]:
    return ["run", task, "--epochs", str(epochs), "--runs", str(place), "--name", name]
