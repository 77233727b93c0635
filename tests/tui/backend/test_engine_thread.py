"""The engine in a thread of this process."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable

import pytest

from stoker.engine.errors import RunError, TrainingError
from stoker.engine.runs.commands import Command
from stoker.engine.runs.events import RunFinished
from stoker.engine.runs.folder import RunFolder
from stoker.tui.backend.engine_thread import EngineThread
from stoker.tui.terminal import stream
from tests.support.deadlines import scaled
from tests.support.fake_engine import FakeEngine

Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture(autouse=True)
def _streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the streams that the thread replaces."""
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)


def _refuse(*_: object) -> None:
    raise OSError(28, "No space left on device")


async def test_engine_thread_returns_the_last_event(run_folder: RunFolder, fake_engine: FakeEngine) -> None:
    """The events wait for `drain`."""
    fake_engine.last = 20
    engine_thread = EngineThread(run_folder)
    engine_thread.start()
    finished = await engine_thread.wait_async()
    assert finished.cause == "completed" and not engine_thread.running
    assert isinstance(engine_thread.drain()[-1], RunFinished) and engine_thread.drain() == []


async def test_engine_thread_starts_again_after_a_stop(run_folder: RunFolder, fake_engine: FakeEngine) -> None:
    """Each start has new controls: an old stop command does not stop a new engine."""
    engine_thread = EngineThread(run_folder)
    for number in (1, 2):
        engine_thread.start()
        assert engine_thread.running
        engine_thread.controls.send(Command(command="stop"))
        assert (await engine_thread.wait_async()).cause == "stopped"
        assert fake_engine.started == number


@pytest.mark.parametrize("error", [RunError("no such run"), ValueError("a bug in the task"), TrainingError("broke")])
async def test_wait_async_raises_the_exception_of_the_engine(
    run_folder: RunFolder, fake_engine: FakeEngine, error: Exception, wait_until: Until
) -> None:
    """The waiting caller gets the exception; an unexpected one also has a traceback in the log."""
    fake_engine.error = error
    engine_thread = EngineThread(run_folder)
    engine_thread.start()
    with pytest.raises(type(error), match=str(error)):
        await engine_thread.wait_async()
    # The outcome is set first, because printing may fail: the traceback follows.
    await wait_until(lambda: not any(thread.name == "stoker-engine" for thread in threading.enumerate()))
    assert ("Traceback" in run_folder.log.read_text()) == isinstance(error, ValueError)


async def test_sys_exit_in_a_task_ends_only_the_training(run_folder: RunFolder, fake_engine: FakeEngine) -> None:
    """A sys.exit() in a task becomes a TrainingError."""
    fake_engine.error = SystemExit(3)
    engine_thread = EngineThread(run_folder)
    engine_thread.start()
    with pytest.raises(TrainingError, match="SystemExit"):
        await engine_thread.wait_async()


async def test_fake_engine_ends_with_its_test(run_folder: RunFolder, fake_engine: FakeEngine) -> None:
    """The thread of a test that failed does not keep pytest from ending."""
    engine_thread = EngineThread(run_folder)
    engine_thread.start()
    fake_engine.close()
    assert (await asyncio.wait_for(engine_thread.wait_async(), scaled(10))).cause == "stopped"


async def test_full_disk_under_the_log_never_stops_a_printing_run(
    run_folder: RunFolder, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prints of the task are lost, and the training reaches its end."""
    monkeypatch.setattr(stream, "open_log", lambda _: os.open("/dev/full", os.O_WRONLY))
    fake_engine.prints, fake_engine.last = True, 20
    engine_thread = EngineThread(run_folder)
    engine_thread.start()
    assert (await asyncio.wait_for(engine_thread.wait_async(), scaled(10))).cause == "completed"
    print("x" * 100_000)


async def test_error_reaches_the_dashboard_where_nothing_can_be_printed(
    run_folder: RunFolder, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outcome of the thread is set before its traceback is printed."""
    fake_engine.error = ValueError("boom")
    monkeypatch.setattr(traceback, "print_exception", _refuse)
    engine_thread = EngineThread(run_folder)
    engine_thread.start()
    with pytest.raises(ValueError, match="boom"):
        await asyncio.wait_for(engine_thread.wait_async(), scaled(10))
