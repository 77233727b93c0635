"""A finished run asks for a new limit before it resumes, in its dashboard and in the list of runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input

from stoker.engine.errors import RunError
from stoker.engine.runs import events as e
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.backend.engine_thread import EngineThread
from stoker.tui.screens.confirm import Confirm
from stoker.tui.screens.prompt import AskNumber
from stoker.tui.screens.runs import RunsScreen
from stoker.tui.widgets.runs_table import RunsTable
from tests.support.fake_engine import FakeEngine
from tests.support.recorded import EPOCHS, run, time_of
from tests.support.run_folders import COMPLETED, write

Until = Callable[[Callable[[], object]], Awaitable[None]]
EARLY = [*run(330), e.RunFinished(at=time_of(330), step=330, epoch=8, cause="early_stopping")]


async def ask(app: StokerApp, pilot: Pilot[None], wait_until: Until) -> None:
    """Press r once it is enabled, and wait for the question."""
    await wait_until(lambda: "r" in app.screen.active_bindings)
    await pilot.press("r")
    await wait_until(lambda: isinstance(app.screen, AskNumber))


@pytest.mark.parametrize(
    ("events", "settings", "given"),
    [
        (COMPLETED, {"epochs": EPOCHS}, {"epochs": 2 * EPOCHS}),
        (EARLY, {"epochs": EPOCHS, "patience": 3}, {"patience": 6}),
    ],
)
async def test_dashboard_asks_for_the_limit_that_ended_the_run(
    events: list[e.Event],
    settings: dict[str, Any],
    given: dict[str, Any],
    tmp_path: Path,
    wait_until: Until,
    fake_engine: FakeEngine,
) -> None:
    """The question offers twice the old limit. Escape changes nothing; a smaller limit is refused."""
    folder = write(tmp_path / "runs", "one", events)
    folder.write_record(msgspec.structs.replace(folder.record(), settings=settings))
    app = StokerApp(folder)
    async with app.run_test() as pilot:
        await ask(app, pilot, wait_until)
        await pilot.press("escape")
        await wait_until(lambda: app.screen is app.dashboard)
        assert not fake_engine.started and folder.record().given == {}
        await ask(app, pilot, wait_until)
        field = app.screen.query_one(Input)
        offered, field.value = field.value, "1"
        await pilot.press("enter")
        await wait_until(lambda: app.screen.query("#hint.-wrong"))
        field.value = offered
        await pilot.press("enter")
        await wait_until(lambda: fake_engine.started and app.dashboard.view.state == "training")
        assert folder.record().given == given
        await pilot.press("q")
        await wait_until(lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await wait_until(lambda: app.finished)


async def test_run_list_asks_for_a_new_limit(tmp_path: Path, wait_until: Until, fake_engine: FakeEngine) -> None:
    """Then it opens the dashboard and trains the run there."""
    folder = write(tmp_path / "runs", "one", COMPLETED)
    app = StokerApp(first=RunsScreen(folder.path.parent), runs=folder.path.parent)
    async with app.run_test() as pilot:
        await wait_until(lambda: any(table._rows for table in app.screen.query(RunsTable)))
        await pilot.press("r")
        await wait_until(lambda: isinstance(app.screen, AskNumber))
        await pilot.press("enter")
        await wait_until(lambda: app.engine and app.engine.running and app.dashboard.view.step > 10)
        assert folder.record().given == {"epochs": 2 * EPOCHS}
        await pilot.press("ctrl+c")
        await wait_until(lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await wait_until(lambda: app.finished)


async def test_run_is_loading_once_an_engine_is_requested(
    tmp_path: Path, wait_until: Until, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the key press on. r is then disabled, three presses start one engine, and quitting asks."""
    folder = write(tmp_path / "runs", "one", run(225))
    starts: list[Callable[[], None]] = []
    start = EngineThread.start
    monkeypatch.setattr(EngineThread, "start", lambda thread: starts.append(lambda: start(thread)))
    monkeypatch.setattr(EngineThread, "running", property(lambda thread: bool(starts)))
    monkeypatch.setattr(EngineThread, "wait_async", lambda thread: asyncio.sleep(60))
    app = StokerApp(folder)
    async with app.run_test() as pilot:
        await wait_until(lambda: app.dashboard.view.status(0) == "lost" and "r" in app.screen.active_bindings)
        for _ in range(3):
            app.post_message(Key("r", "r"))
        await wait_until(lambda: starts)
        await pilot.pause()
        assert len(starts) == 1
        assert app.dashboard.view.status(0) == "loading" and "r" not in app.screen.active_bindings
        app.dashboard.engine_refused("no")
        assert app.dashboard.view.status(0) == "lost"
        await pilot.press("q")
        await wait_until(lambda: isinstance(app.screen, Confirm))


async def test_run_is_loading_when_resumed_from_the_list(
    tmp_path: Path, wait_until: Until, fake_engine: FakeEngine
) -> None:
    """Even though its history says that it was stopped."""
    folder = write(tmp_path / "runs", "one", [*run(120), e.RunFinished(at=time_of(120), step=120, cause="stopped")])
    fake_engine.wait = threading.Event()
    app = StokerApp(first=RunsScreen(folder.path.parent), runs=folder.path.parent)
    async with app.run_test() as pilot:
        await wait_until(lambda: any(table._rows for table in app.screen.query(RunsTable)))
        await pilot.press("r")
        await wait_until(lambda: app.engine and app.engine.started)
        assert app.dashboard.view.status(0) == "loading" and app.dashboard.view.finished
        fake_engine.wait.set()
        await wait_until(lambda: app.dashboard.view.status(0) == "training")
        await pilot.press("ctrl+c", "y")
        await wait_until(lambda: app.finished)


async def test_no_limit_is_asked_while_another_run_trains_here(
    run_folder: RunFolder, tmp_path: Path, wait_until: Until, fake_engine: FakeEngine
) -> None:
    """Nothing is changed either: one process trains one run."""
    other = write(tmp_path / "others", "two", COMPLETED)
    app = StokerApp(run_folder, engine=EngineThread(run_folder))
    async with app.run_test() as pilot:
        await wait_until(lambda: app.dashboard.view.step > 10)
        app.open_run(other)
        await wait_until(lambda: app.dashboard.folder == other and "r" in app.screen.active_bindings)
        await pilot.press("r")
        await wait_until(lambda: app._notifications)
        assert app.screen is app.dashboard and other.record().given == {}
        app.resume_run(other)
        await wait_until(lambda: len(app._notifications) == 2)
        assert app.screen is app.dashboard and other.record().given == {}
        await pilot.press("ctrl+c", "y")
        await wait_until(lambda: app.finished)


async def test_run_with_folds_cannot_be_extended(tmp_path: Path, wait_until: Until, fake_engine: FakeEngine) -> None:
    """The message names the command to use instead."""
    folder = write(tmp_path / "runs", "one", COMPLETED)
    folder.write_record(msgspec.structs.replace(folder.record(), settings={"epochs": 3, "split": "kfold:3"}))
    app = StokerApp(folder)
    async with app.run_test() as pilot:
        await wait_until(lambda: "r" in app.screen.active_bindings)
        await pilot.press("r")
        await wait_until(lambda: app._notifications)
        assert "stoker run --like one" in next(iter(app._notifications)).message
        assert app.screen is app.dashboard and not fake_engine.started
        await pilot.press("q")


async def test_record_is_restored_if_the_engine_refuses_the_limit(
    tmp_path: Path, wait_until: Until, fake_engine: FakeEngine
) -> None:
    """For example a schedule that does not fit: the run's record is as before."""
    fake_engine.error = RunError("15 steps of warm-up do not fit")
    folder = write(tmp_path / "runs", "one", COMPLETED)
    app = StokerApp(folder)
    async with app.run_test() as pilot:
        await ask(app, pilot, wait_until)
        await pilot.press("enter")
        await wait_until(lambda: app._notifications)
        assert folder.record().given == {} and app.dashboard.view.status(0) == "completed"
        await pilot.press("q")


async def test_answer_changes_nothing_if_another_engine_has_started(
    tmp_path: Path, wait_until: Until, fake_engine: FakeEngine
) -> None:
    """Another process trains the run by now: nothing is changed, and a notification says so."""
    folder = write(tmp_path / "runs", "one", COMPLETED)
    app = StokerApp(folder)
    async with app.run_test() as pilot:
        await ask(app, pilot, wait_until)
        with folder.lock():
            await pilot.press("enter")
            await wait_until(lambda: app._notifications)
        assert folder.record().given == {} and not fake_engine.started
        await pilot.press("q")
