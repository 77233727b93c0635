"""One training, timed: the bare loop, `stoker run --headless`, or `stoker run` with its dashboard in a terminal.

Timed is the training alone, from a step soon after the first (torch's own start-up lies before it) to the end of the run.
Stoker says its steps some times a second; the bare loop keeps the time of each, so both windows begin at the same step.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stoker.engine.runs import events, journal
from stoker.engine.runs.events import Event

from .measure import Failed
from .terminal import PROGRAM, Terminal

LONGEST = 400.0  # seconds that a training may take


@dataclass(frozen=True)
class Timed:
    """What one training took from the end of step `since`, the window's begin, to its end."""

    seconds: float
    since: int
    steps: int
    frames: float = 0.0
    """Frames a second."""
    bytes: float = 0.0
    """Bytes a second to the terminal."""

    @property
    def whole(self) -> float:
        """The seconds that all steps take at the window's pace."""
        return self.seconds * self.steps / (self.steps - self.since)


class Bare:
    """The loop a person would write, run in a process of its own."""

    def __init__(self, task: str, epochs: int, threads: int) -> None:
        """Run it to the end."""
        command = [sys.executable, "-m", f"{__package__}.bare", task, str(epochs), str(threads)]
        self._times: list[float] = json.loads(subprocess.check_output(command, timeout=LONGEST))

    def since(self, step: int) -> Timed:
        """Return what it took from the end of `step` on; the last time is that of the end, after the last evaluation."""
        return Timed(self._times[-1] - self._times[step - 1], step, len(self._times) - 1)


def headless(task: str, epochs: int, threads: int, place: Path, options: tuple[str, ...] = ()) -> Timed:
    """Time the engine alone."""
    name = f"headless-{time.time_ns()}"
    command = [PROGRAM, *_run(task, epochs, threads, place, name), *options, "--headless"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, timeout=LONGEST)
    began, ended = window(place / name)
    return Timed(ended.at - began.at, began.step or 0, ended.step or 0)


def dashboard(
    task: str, epochs: int, threads: int, place: Path, options: tuple[str, ...] = (), *, read: bool = True
) -> Timed:
    """Time the engine with the dashboard open at 120×40."""
    name = f"dashboard-{time.time_ns()}"
    with Terminal([*_run(task, epochs, threads, place, name), *options], read=read) as terminal:
        wait_for_end(place / name)
        began, ended = window(place / name)
        seconds = ended.at - began.at
        frames, written = (count(began.at, ended.at) for count in (terminal.frames_between, terminal.bytes_between))
        return Timed(seconds, began.step or 0, ended.step or 0, frames / seconds, written / seconds)


def wait_for_end(folder: Path) -> None:
    """Wait until the run in `folder` has ended. Raises TimeoutError."""
    lines = journal.Lines(folder / "events.jsonl")
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        if any(b'"run_finished"' in line for line in lines.read()):
            return
        time.sleep(0.25)
    raise TimeoutError(f"{folder.name} did not end in {LONGEST:g} s")


def said(folder: Path) -> Iterator[Event]:
    """Return the events of the run in `folder`."""
    return (event for line in (folder / "events.jsonl").read_bytes().splitlines(True) if (event := events.decode(line)))


def window(folder: Path) -> tuple[Event, Event]:
    """Return the first that was said of a step, and the end. Raises Failed where the run ended early."""
    told = list(said(folder))
    ended = next(event for event in reversed(told) if isinstance(event, events.RunFinished))
    if ended.cause != "completed":
        raise Failed(f"the run ended early: {ended.cause} {ended.message}")
    began = next(event for event in told if isinstance(event, events.Steps))
    if began.step == ended.step:
        raise Failed("the run was over before it could be timed: take more epochs")
    return began, ended


def _run(task: str, epochs: int, threads: int, place: Path, name: str) -> list[str]:
    given = ["--epochs", str(epochs), "--threads", str(threads)]
    return ["run", task, *given, "--runs", str(place), "--name", name]
