"""Train a run in the test's own process and keep its events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from stoker.engine import Task
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.events import Event, Warned
from stoker.engine.runs.folder import RunFolder
from stoker.engine.session import train

E = TypeVar("E", bound=Event)


class StopAt(Controls):
    """Stops the run at the given poll of its commands, counted from 1; the loop polls once a batch."""

    def __init__(self, poll: int) -> None:
        super().__init__()
        self.polls_left = poll

    def pending(self, now: float) -> bool:
        """Count the polls."""
        self.polls_left -= 1
        if not self.polls_left:
            self.send(Command(command="stop"))
        return super().pending(now)


class Run:
    """A trained run: its folder, all events of this process in order, and the last one."""

    def __init__(
        self, folder: RunFolder, stop_at: int | None = None, function: Callable[..., Task] | None = None
    ) -> None:
        self.folder = folder
        self.events: list[Event] = []
        controls = Controls() if stop_at is None else StopAt(stop_at)
        self.finished = train(folder, controls, self.events.append, function=function)

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def warnings(self, kind: str) -> list[str]:
        """Return the messages of the warnings of one kind."""
        return [event.message for event in self.of(Warned) if event.kind == kind]


def create(runs_folder: Path, task: str, /, parameters: dict[str, Any] | None = None, **given: Any) -> RunFolder:
    """Create a run folder for a task, with one thread on the CPU; `given` holds more settings."""
    given = {"device": "cpu", "threads": 1, **given}
    return runs.create(runs_folder / "runs", task, None, {"parameters": parameters or {}, "given": given})


def run(runs_folder: Path, task: str, /, parameters: dict[str, Any] | None = None, **given: Any) -> Run:
    """Create a run folder for a task and train it."""
    return Run(create(runs_folder, task, parameters, **given))


def interrupted(
    runs_folder: Path, function: Callable[..., Task], *, stop_at: int, resumes: int = 1, **given: Any
) -> tuple[Run, Run]:
    """Train the task of `function` twice, in one go and stopped; return the whole run and the last part of the other.

    The second run is stopped `resumes` times, each time at poll `stop_at` of its process.
    """
    whole = Run(create(runs_folder, "own", **given), function=function)
    folder = create(runs_folder, "own", **given)
    for _ in range(resumes):
        stopped = Run(folder, stop_at=stop_at, function=function)
        assert stopped.finished.cause == "stopped", stopped.finished
    return whole, Run(folder, function=function)
