"""Train a task of `tasks.py` in this process, with calls at chosen batches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from stoker.engine import session
from stoker.engine.checkpoints import files
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.events import Event, RunFinished, Warned
from stoker.engine.runs.folder import RunFolder

TASKS = Path(__file__).parent / "tasks.py"
Action = Command | Callable[[], None]


class Script(Controls):
    """Sends a command or calls a function at given batches, counted from 1; resumes from every pause."""

    def __init__(self, actions: dict[int, Action] | None = None, paused: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.actions, self.batches, self.paused = actions or {}, 0, paused

    def pending(self, now: float) -> bool:
        """Count the batches."""
        self.batches += 1
        action = self.actions.get(self.batches)
        if isinstance(action, Command):
            self.send(action)
        elif action is not None:
            action()
        return super().pending(now)

    def wait(self, seconds: float = 0.05) -> None:
        """Call `paused`, then resume."""
        self.paused()
        self.send(Command(command="resume"))


class Trained:
    """A run with its events and its end."""

    def __init__(self, folder: RunFolder, controls: Controls | None = None) -> None:
        """Train the run, from its newest checkpoint if it has one."""
        self.folder = folder
        self.events: list[Event] = []
        self.finished: RunFinished = session.train(folder, controls or Script(), self.events.append)

    @property
    def inexact(self) -> list[str]:
        """The messages of the warnings that a resume may not be exact."""
        return [event.message for event in self.events if isinstance(event, Warned) and event.kind == "inexact"]

    def state(self) -> dict[str, Any]:
        """Return the content of the newest checkpoint."""
        found = files.newest(self.folder.checkpoints)
        assert found is not None
        return found[1]


def create(where: Path, task: str, name: str | None, parameters: dict[str, Any], given: dict[str, Any]) -> RunFolder:
    """Return a new run folder of the task called `task` in `tasks.py`."""
    return runs.create(where, f"{TASKS}:{task}", name, {"parameters": parameters, "given": given})
