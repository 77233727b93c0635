"""A run that reached its end is asked how much longer it shall train, in its dashboard and in the list."""

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
from stoker.tui.backend.engine_thread import Host
from stoker.tui.screens.confirm import Confirm
from stoker.tui.screens.prompt import AskNumber
from stoker.tui.screens.runs import Runs
from stoker.tui.widgets.runs_table import RunsTable
from tests.support.fake_engine import FakeEngine
from tests.support.recorded import EPOCHS, run, time_of
from tests.support.run_folders import COMPLETED, write

Until = Callable[[Callable[[], object]], Awaitable[None]]
EARLY = [*run(330), e.RunFinished(at=time_of(330), step=330, epoch=8, cause="early_stopping")]


async def ask(app: StokerApp, pilot: Pilot[None], until: Until) -> None:
    """Press r when it is offered, and wait for the question."""
    await until(lambda: "r" in app.screen.active_bindings)
    await pilot.press("r")
    await until(lambda: isinstance(app.screen, AskNumber))


@pytest.mark.parametrize(
    ("events", "settings", "given"),
    [
        (COMPLETED, {"epochs": EPOCHS}, {"epochs": 2 * EPOCHS}),
        (EARLY, {"epochs": EPOCHS, "patience": 3}, {"patience": 6}),
    ],
)
async def test_more_is_asked_for(
    events: list[e.Event],
    settings: dict[str, Any],
    given: dict[str, Any],
    tmp_path: Path,
    until: Until,
    engine: FakeEngine,
) -> None:
    """What had ended the run is offered twice as large; escape changes nothing, too little is refused."""
    folder = write(tmp_path / "runs", "one", events)
    folder.write_record(msgspec.structs.replace(folder.record(), settings=settings))
    app = StokerApp(folder)
    async with app.run_test() as pilot:
        await ask(app, pilot, until)
        await pilot.press("escape")
        await until(lambda: app.screen is app.dashboard)
        assert not engine.started and folder.record().given == {}
        await ask(app, pilot, until)
        field = app.screen.query_one(Input)
        offered, field.value = field.value, "1"
        await pilot.press("enter")
        await until(lambda: app.screen.query("#hint.-wrong"))
        field.value = offered
        await pilot.press("enter")
        await until(lambda: engine.started and app.dashboard.view.state == "training")
        assert folder.record().given == given
        await pilot.press("q")
        await until(lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(lambda: app.finished)


async def test_the_list_asks_too(tmp_path: Path, until: Until, engine: FakeEngine) -> None:
    """Then it opens the dashboard and trains there."""
    folder = write(tmp_path / "runs", "one", COMPLETED)
    app = StokerApp(first=Runs(folder.path.parent), runs=folder.path.parent)
    async with app.run_test() as pilot:
        await until(lambda: any(table._rows for table in app.screen.query(RunsTable)))
        await pilot.press("r")
        await until(lambda: isinstance(app.screen, AskNumber))
        await pilot.press("enter")
        await until(lambda: app.host and app.host.running and app.dashboard.view.step > 10)
        assert folder.record().given == {"epochs": 2 * EPOCHS}
        await pilot.press("ctrl+c")
        await until(lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(lambda: app.finished)


async def test_an_engine_that_was_asked_for_is_loading(
    tmp_path: Path, until: Until, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the key on, and r is not offered again; pressed twice it starts one engine, and leaving asks."""
    folder = write(tmp_path / "runs", "one", run(225))
    starts: list[Callable[[], None]] = []
    start = Host.start
    monkeypatch.setattr(Host, "start", lambda host: starts.append(lambda: start(host)))
    monkeypatch.setattr(Host, "running", property(lambda host: bool(starts)))
    monkeypatch.setattr(Host, "wait", lambda host: asyncio.sleep(60))
    app = StokerApp(folder)
    async with app.run_test() as pilot:
        await until(lambda: app.dashboard.view.standing(0) == "lost" and "r" in app.screen.active_bindings)
        for _ in range(3):
            app.post_message(Key("r", "r"))
        await until(lambda: starts)
        await pilot.pause()
        assert len(starts) == 1
        assert app.dashboard.view.standing(0) == "loading" and "r" not in app.screen.active_bindings
        app.dashboard.refused("no")
        assert app.dashboard.view.standing(0) == "lost"
        await pilot.press("q")
        await until(lambda: isinstance(app.screen, Confirm))


async def test_from_the_list_it_is_loading_too(tmp_path: Path, until: Until, engine: FakeEngine) -> None:
    """Whatever its history says."""
    folder = write(tmp_path / "runs", "one", [*run(120), e.RunFinished(at=time_of(120), step=120, cause="stopped")])
    engine.wait = threading.Event()
    app = StokerApp(first=Runs(folder.path.parent), runs=folder.path.parent)
    async with app.run_test() as pilot:
        await until(lambda: any(table._rows for table in app.screen.query(RunsTable)))
        await pilot.press("r")
        await until(lambda: app.host and app.host.started)
        assert app.dashboard.view.standing(0) == "loading" and app.dashboard.view.finished
        engine.wait.set()
        await until(lambda: app.dashboard.view.standing(0) == "training")
        await pilot.press("ctrl+c", "y")
        await until(lambda: app.finished)


async def test_nothing_is_asked_while_another_run_trains_here(
    folder: RunFolder, tmp_path: Path, until: Until, engine: FakeEngine
) -> None:
    """Nor changed: one process trains one run."""
    other = write(tmp_path / "others", "two", COMPLETED)
    app = StokerApp(folder, host=Host(folder))
    async with app.run_test() as pilot:
        await until(lambda: app.dashboard.view.step > 10)
        app.open_run(other)
        await until(lambda: app.dashboard.folder == other and "r" in app.screen.active_bindings)
        await pilot.press("r")
        await until(lambda: app._notifications)
        assert app.screen is app.dashboard and other.record().given == {}
        app.resume_run(other)
        await until(lambda: len(app._notifications) == 2)
        assert app.screen is app.dashboard and other.record().given == {}
        await pilot.press("ctrl+c", "y")
        await until(lambda: app.finished)


async def test_folds_are_not_made_longer(tmp_path: Path, until: Until, engine: FakeEngine) -> None:
    """And it is said what can be done."""
    folder = write(tmp_path / "runs", "one", COMPLETED)
    folder.write_record(msgspec.structs.replace(folder.record(), settings={"epochs": 3, "split": "kfold:3"}))
    app = StokerApp(folder)
    async with app.run_test() as pilot:
        await until(lambda: "r" in app.screen.active_bindings)
        await pilot.press("r")
        await until(lambda: app._notifications)
        assert "stoker run --like one" in next(iter(app._notifications)).message
        assert app.screen is app.dashboard and not engine.started
        await pilot.press("q")


async def test_what_the_engine_refuses_is_taken_back(tmp_path: Path, until: Until, engine: FakeEngine) -> None:
    """A schedule that does not fit, say: the run is as it was."""
    engine.error = RunError("15 steps of warm-up do not fit")
    folder = write(tmp_path / "runs", "one", COMPLETED)
    app = StokerApp(folder)
    async with app.run_test() as pilot:
        await ask(app, pilot, until)
        await pilot.press("enter")
        await until(lambda: app._notifications)
        assert folder.record().given == {} and app.dashboard.view.standing(0) == "completed"
        await pilot.press("q")


async def test_a_question_that_comes_too_late_is_answered(tmp_path: Path, until: Until, engine: FakeEngine) -> None:
    """Somebody else trains the run by now: nothing is changed, and it is said."""
    folder = write(tmp_path / "runs", "one", COMPLETED)
    app = StokerApp(folder)
    async with app.run_test() as pilot:
        await ask(app, pilot, until)
        with folder.lock():
            await pilot.press("enter")
            await until(lambda: app._notifications)
        assert folder.record().given == {} and not engine.started
        await pilot.press("q")
