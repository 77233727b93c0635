"""The engine's thread."""

from __future__ import annotations

import sys

import pytest

from stoker.engine.errors import RunError, TrainingError
from stoker.engine.runs.commands import Command
from stoker.engine.runs.events import RunFinished
from stoker.engine.runs.folder import RunFolder
from stoker.tui.backend.engine_thread import Host
from tests.support.fake_engine import FakeEngine


@pytest.fixture(autouse=True)
def _streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread sets these for the whole process."""
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)


async def test_it_trains_and_returns_the_end(folder: RunFolder, engine: FakeEngine) -> None:
    """The events wait to be heard."""
    engine.last = 20
    host = Host(folder)
    host.start()
    finished = await host.wait()
    assert finished.cause == "completed" and not host.running
    assert isinstance(host.heard()[-1], RunFinished) and host.heard() == []


async def test_it_can_be_asked_to_stop_and_started_again(folder: RunFolder, engine: FakeEngine) -> None:
    """Each start has its own controls: an old request does not stop a new engine."""
    host = Host(folder)
    for number in (1, 2):
        host.start()
        assert host.running
        host.controls.send(Command(command="stop"))
        assert (await host.wait()).cause == "stopped"
        assert engine.started == number


@pytest.mark.parametrize("error", [RunError("no such run"), ValueError("a bug in the task"), TrainingError("broke")])
async def test_what_the_engine_raises_is_handed_over(folder: RunFolder, engine: FakeEngine, error: Exception) -> None:
    """The thread does not die silently."""
    engine.error = error
    host = Host(folder)
    host.start()
    with pytest.raises(type(error), match=str(error)):
        await host.wait()
    assert ("Traceback" in folder.log.read_text()) == isinstance(error, ValueError)


async def test_a_task_that_exits_ends_its_training_only(folder: RunFolder, engine: FakeEngine) -> None:
    """sys.exit() in a task is an error of the task."""
    engine.error = SystemExit(3)
    host = Host(folder)
    host.start()
    with pytest.raises(TrainingError, match="SystemExit"):
        await host.wait()
