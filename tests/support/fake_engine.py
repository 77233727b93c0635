"""An engine that trains nothing and does what a test tells it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import ModuleType

import pytest

from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Controls
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runs.journal import EventFollower, Journal
from tests.support.deadlines import scaled
from tests.support.recorded import body, started


class FakeEngine:
    """Replaces `stoker.engine.session`. It raises `error` if that is set, and starts after `wait` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Replace the real engine until the test ends."""
        module = ModuleType("stoker.engine.session")
        module.train = self.train  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "stoker.engine.session", module)
        self.error: BaseException | None = None
        self.prints = False
        self.last: int | None = None
        self.started = 0
        self.wait: threading.Event | None = None
        self._over = threading.Event()

    def close(self) -> None:
        """End every engine: the thread of a test that failed would keep pytest from ending."""
        self._over.set()
        if self.wait is not None:
            self.wait.set()

    def train(
        self, folder: RunFolder, controls: Controls, emit: Callable[[e.Event], None], *, checkpoint: str | None = None
    ) -> e.RunFinished:
        """Emit steps up to `last` or until a stop command, from the last saved step on."""
        self.started += 1
        if self.wait is not None:
            assert self.wait.wait(scaled(20))
        with folder.lock():
            saved = [
                event.step
                for event in EventFollower(folder.events).read_events()
                if isinstance(event, e.CheckpointSaved)
            ]
            journal = Journal(folder.events)

            def record(event: e.Event) -> e.Event:
                journal.append(event)
                emit(event)
                return event

            if self.error is not None:
                raise self.error
            step = (saved[-1] or 0) if saved else 0
            record(started(step or None))
            if self.prints:
                print("printed by python")
                os.write(1, b"printed by C\n")
                os.write(2, b"warned by C\n")
                print("warned by python", file=sys.stderr)
            paused = False
            while True:
                for command in controls.take():
                    if command.command == "stop":
                        record(e.CheckpointSaved(step=step, path="checkpoints/latest.pt", cause="command"))
                        finished = e.RunFinished(cause="stopped", step=step)
                        record(finished)
                        return finished
                    paused = command.command == "pause" or (paused and command.command != "resume")
                    record(_answer(command.command, step))
                    record(e.CommandAnswered(id=command.id, command=command.command, status=_status(command.command)))
                if self._over.is_set():
                    return e.RunFinished(cause="stopped", step=step)
                if self.last is not None and step >= self.last:
                    finished = e.RunFinished(cause="completed", step=step, test={"loss": 0.1})
                    record(finished)
                    return finished
                if not paused:
                    for event in body(step, step + 5):
                        record(event)
                    step += 5
                controls.wait(0.02)


def _answer(command: str, step: int) -> e.Event:
    return {
        "pause": e.Paused(step=step),
        "resume": e.Resumed(step=step),
        "save": e.CheckpointSaved(step=step, path="checkpoints/latest.pt", bytes=1000, cause="command"),
    }.get(command, e.Warned(step=step, kind="odd", message="what is that?"))


def _status(command: str) -> str:
    return "done" if command in ("pause", "resume", "save") else "failed"
