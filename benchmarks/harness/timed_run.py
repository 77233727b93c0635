"""Time one training: the bare loop, `stoker run --headless`, or `stoker run` with its dashboard in a terminal.

The measured window begins at a step soon after the first, so that torch's start-up lies before it; it ends with the run.
Stoker reports its steps a few times a second. The bare loop records every step, so both windows begin at the same step.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stoker.engine.runs import events, journal
from stoker.engine.runs.events import Event

from .measure import BenchmarkError
from .terminal import PROGRAM, Terminal

TIME_LIMIT = 400.0  # seconds that a training may take


@dataclass(frozen=True)
class Timing:
    """The duration of a training, from the end of step `since` to its end."""

    seconds: float
    since: int
    steps: int
    frames: float = 0.0
    """Frames a second."""
    bytes: float = 0.0
    """Bytes a second to the terminal."""

    @property
    def total(self) -> float:
        """The seconds that all steps would take at the window's rate."""
        return self.seconds * self.steps / (self.steps - self.since)

    @property
    def steps_per_second(self) -> float:
        """The rate in the window."""
        return (self.steps - self.since) / self.seconds


class BareLoop:
    """A plain PyTorch loop, run in a process of its own."""

    def __init__(self, task: str, epochs: int, threads: int) -> None:
        """Run the loop to its end."""
        command = [sys.executable, "-m", f"{__package__}.bare_loops", task, str(epochs), str(threads)]
        self._times: list[float] = json.loads(subprocess.check_output(command, timeout=TIME_LIMIT))

    def since(self, step: int) -> Timing:
        """Return the timing from the end of `step` to the end of the training, the last evaluation included."""
        return Timing(self._times[-1] - self._times[step - 1], step, len(self._times) - 1)


def headless(task: str, epochs: int, threads: int, runs_folder: Path, options: Sequence[str] = ()) -> Timing:
    """Time the engine without a dashboard."""
    name = f"headless-{time.time_ns()}"
    command = [PROGRAM, *_arguments(task, epochs, threads, runs_folder, name), *options, "--headless"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, timeout=TIME_LIMIT)
    start, end = window(runs_folder / name)
    return Timing(end.at - start.at, start.step or 0, end.step or 0)


def dashboard(
    task: str, epochs: int, threads: int, runs_folder: Path, options: Sequence[str] = (), *, read: bool = True
) -> Timing:
    """Time the engine with the dashboard open at 120×40."""
    name = f"dashboard-{time.time_ns()}"
    with Terminal([*_arguments(task, epochs, threads, runs_folder, name), *options], read=read) as terminal:
        wait_for_end(runs_folder / name)
        start, end = window(runs_folder / name)
        seconds = end.at - start.at
        frames, written = (count(start.at, end.at) for count in (terminal.frames_between, terminal.bytes_between))
        return Timing(seconds, start.step or 0, end.step or 0, frames / seconds, written / seconds)


def wait_for_end(folder: Path) -> None:
    """Wait until the run in `folder` has ended. Raises TimeoutError."""
    lines = journal.LineFollower(folder / "events.jsonl")
    deadline = time.monotonic() + TIME_LIMIT
    while time.monotonic() < deadline:
        if any(b'"run_finished"' in line for line in lines.read()):
            return
        time.sleep(0.25)
    raise TimeoutError(f"{folder.name} did not end in {TIME_LIMIT:g} s")


def events_of(folder: Path) -> Iterator[Event]:
    """Yield the events of the run in `folder`."""
    return (event for line in (folder / "events.jsonl").read_bytes().splitlines(True) if (event := events.decode(line)))


def window(folder: Path) -> tuple[Event, Event]:
    """Return the events that begin and end the measured window. Raises BenchmarkError if the run ended early."""
    history = list(events_of(folder))
    end = next(event for event in reversed(history) if isinstance(event, events.RunFinished))
    if end.cause != "completed":
        raise BenchmarkError(f"the run ended early: {end.cause} {end.message}")
    start = next(event for event in history if isinstance(event, events.Steps))
    if start.step == end.step:
        raise BenchmarkError("the run ended before it could be timed: use more epochs")
    return start, end


def _arguments(task: str, epochs: int, threads: int, runs_folder: Path, name: str) -> list[str]:
    given = ["--epochs", str(epochs), "--threads", str(threads)]
    return ["run", task, *given, "--runs", str(runs_folder), "--name", name]
