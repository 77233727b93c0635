"""The app and the engine it hosts: start, end, quit, exit codes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from stoker.engine.errors import RunError
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.backend.engine_thread import Host
from stoker.tui.screens.confirm import Confirm
from tests.support.fake_engine import FakeEngine
from tests.support.recorded import Recorded, run

Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
async def app(folder: RunFolder, engine: FakeEngine) -> StokerApp:
    """A dashboard that hosts the engine."""
    return StokerApp(folder, host=Host(folder))


async def test_the_first_frame_stands_before_the_engine_starts(
    app: StokerApp, engine: FakeEngine, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Importing torch must not keep the screen black."""
    frames: list[int] = []
    started = Host.start

    def start(host: Host) -> None:
        frames.append(app.dashboard.query_one("#state").content_size.width)
        started(host)

    monkeypatch.setattr(Host, "start", start)
    async with app.run_test(size=(80, 24)):
        await until(lambda: app.dashboard.view.step > 10)
        assert frames == [80]
        app.dashboard.action_ask("stop")
        await until(lambda: app.finished)


async def test_a_run_is_paused_saved_quit_and_goes_on_where_it_was(
    app: StokerApp, folder: RunFolder, engine: FakeEngine, until: Until
) -> None:
    """The whole way of a person, by keys alone."""
    view = app.dashboard.view
    async with app.run_test() as pilot:
        await until(lambda: view.step > 20)
        await until(lambda: "d" in app.screen.active_bindings)
        await pilot.press("space")
        await until(lambda: view.state == "paused")
        await pilot.press("s")
        await until(lambda: view.now.checkpoints)
        assert view.now.checkpoints[-1].step == view.step
        await pilot.press("q")
        await until(lambda: isinstance(app.screen, Confirm))
        await pilot.press("n")
        await until(lambda: app.screen is app.dashboard)
        assert view.state == "paused" and app.is_running
        await pilot.press("ctrl+c")
        await until(lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")
        await until(lambda: app.finished)
    assert (app.return_code, app.error) == (0, None)
    assert app.finished is not None and app.finished.cause == "stopped"
    again = StokerApp(folder, host=Host(folder))
    async with again.run_test() as pilot:
        await until(lambda: again.dashboard.view.step > view.step)
        train = again.dashboard.view.now.train
        assert (train.base, train.length) == (1, again.dashboard.view.step)
        assert train.values[: view.step].tolist() == view.now.train.values.tolist()
        await pilot.press("q", "y")
        await until(lambda: again.finished)


async def test_a_finished_run_stays_and_can_go_on(app: StokerApp, engine: FakeEngine, until: Until) -> None:
    """The dashboard stays open; r starts an engine again."""
    engine.last = 20
    async with app.run_test() as pilot:
        await until(lambda: app.dashboard.view.state == "completed")
        await until(lambda: app.finished and "r" in app.screen.active_bindings)
        engine.last = 40
        await pilot.press("r")
        await until(lambda: app.dashboard.view.state == "completed" and app.dashboard.view.step == 40)
        await until(lambda: not app.host.running)
        await pilot.press("q")
    assert app.return_code == 0 and engine.started == 2


async def test_a_wrong_request_ends_the_app(app: StokerApp, engine: FakeEngine, until: Until) -> None:
    """The command line says it in one line, exit code 2."""
    engine.error = RunError("another engine trains this run")
    async with app.run_test():
        await until(lambda: app.error)
    assert (app.return_code, app.error) == (2, engine.error)


async def test_a_wrong_request_to_go_on_is_said(app: StokerApp, engine: FakeEngine, until: Until) -> None:
    """There is a run to be looked at, so the dashboard stays as it was."""
    engine.last = 20
    async with app.run_test() as pilot:
        await until(lambda: app.finished)
        await until(lambda: app.dashboard.view.state == "completed" and "r" in app.screen.active_bindings)
        engine.error = RunError("nothing is left to train")
        await pilot.press("r")
        await until(lambda: app._notifications)
        await until(lambda: app.dashboard.view.state == "completed")
        await pilot.press("q")
    assert (app.return_code, app.error) == (0, None)


async def test_a_training_that_raises_is_shown(app: StokerApp, engine: FakeEngine, until: Until) -> None:
    """Until q; then exit code 1."""
    engine.error = ZeroDivisionError("in the task's loss")
    async with app.run_test() as pilot:
        await until(lambda: app.dashboard.view.state == "failed")
        lines = [text for _, _, text in app.dashboard.view.lines]
        assert any("ZeroDivisionError: in the task's loss" in text for text in lines)
        await pilot.press("q")
    assert app.return_code == 1
    assert "ZeroDivisionError" in str(app.error)


async def test_an_attached_dashboard_just_leaves(folder: RunFolder, until: Until) -> None:
    """The run trains on elsewhere."""
    app = StokerApp(folder, source=Recorded(run()))
    async with app.run_test() as pilot:
        await until(lambda: app.dashboard.view.step == 330)
        await pilot.press("q")
    assert app.return_code == 0


async def test_ctrl_c_twice_saves_and_quits(app: StokerApp, engine: FakeEngine, until: Until) -> None:
    """Who presses it again wants to leave."""
    async with app.run_test() as pilot:
        await until(lambda: app.dashboard.view.step > 5)
        await pilot.press("ctrl+c")
        await until(lambda: isinstance(app.screen, Confirm))
        await pilot.press("ctrl+c")
        await until(lambda: app.finished)
    assert app.finished is not None and app.finished.cause == "stopped"


async def test_the_question_goes_when_the_run_ends(app: StokerApp, engine: FakeEngine, until: Until) -> None:
    """There is nothing to save any more; the end is there to be seen."""
    async with app.run_test() as pilot:
        await until(lambda: app.dashboard.view.step > 5)
        await pilot.press("q")
        await until(lambda: isinstance(app.screen, Confirm))
        app.dashboard.action_ask("stop")
        await until(lambda: app.screen is app.dashboard)
        assert app.finished is not None and app.is_running
