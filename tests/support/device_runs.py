"""Train runs in the test's own process, on a fake device or on the CPU, with calls at chosen moments."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from stoker.engine import Task
from stoker.engine.checkpoints import files
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.events import Event, Warned
from stoker.engine.runs.folder import RunFolder
from stoker.engine.session import train


class Script(Controls):
    """Sends a command, or calls a function, at given polls of the loop (counted from 1); resumes from every pause."""

    def __init__(self, script: dict[int, Any] | None = None, paused: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.script, self.polls, self.paused = script or {}, 0, paused

    def pending(self, now: float) -> bool:
        """Count the polls."""
        self.polls += 1
        action = self.script.get(self.polls)
        if isinstance(action, Command):
            self.send(action)
        elif action is not None:
            action()
        return super().pending(now)

    def wait(self, seconds: float = 0.05) -> None:
        """Call `paused`, then resume."""
        if self.paused is not None:
            self.paused()
        self.send(Command(command="resume"))


class DeviceRun:
    """A trained run: its folder, its events, the last event, and the content of its newest checkpoint."""

    def __init__(
        self,
        folder: RunFolder,
        function: Callable[..., Task],
        controls: Controls | None = None,
        *,
        collect: bool = True,
    ) -> None:
        self.folder, self.function = folder, function
        self.events: list[Event] = []
        self.finished = train(folder, controls or Script(), self.events.append, function=function)
        found = files.newest(folder.checkpoints)
        self.state: Any = found[1] if found else None
        if collect:
            gc.collect()

    def warnings(self, kind: str) -> list[str]:
        """Return the messages of the warnings of one kind."""
        return [event.message for event in self.events if isinstance(event, Warned) and event.kind == kind]

    def resume(self, controls: Controls | None = None) -> DeviceRun:
        """Continue the run from its newest checkpoint."""
        return DeviceRun(self.folder, self.function, controls)


def run(
    path: Path,
    function: Callable[..., Task],
    controls: Controls | None = None,
    /,
    device: str = "cuda",
    *,
    collect: bool = True,
    **given: Any,
) -> DeviceRun:
    """Train the task of `function` in a new run folder; `given` holds settings."""
    given = {"device": device, "threads": 1, **given}
    folder = runs.create(path / "runs", "own", None, {"parameters": {}, "given": given})
    return DeviceRun(folder, function, controls, collect=collect)


def stop_at(poll: int) -> Script:
    """Return controls that stop the run at this poll."""
    return Script({poll: Command(command="stop")})


def different(one: Any, other: Any, where: str = "") -> list[str]:
    """Return the places where two states differ in a bit of a tensor; NaN equals NaN."""
    if isinstance(one, Tensor):
        same = one.shape == other.shape and bool(((one == other) | (one.isnan() & other.isnan())).all())
        return [] if same else [where]
    if isinstance(one, dict):
        return [place for key in one for place in different(one[key], other[key], f"{where}.{key}")]
    return []
