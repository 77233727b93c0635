"""The app and the engine of its process: start, end, quit and exit codes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from stoker.engine.errors import RunError
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.backend.engine_thread import EngineThread
from stoker.tui.screens.confirm import Confirm
from stoker.tui.screens.leave import Leave
from tests.support.fake_engine import FakeEngine
from tests.support.recorded import Recorded, run

Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
async def app(run_folder: RunFolder, fake_engine: FakeEngine) -> StokerApp:
    """An app whose dashboard shows a run that trains in this process."""
    return StokerApp(run_folder, engine=EngineThread(run_folder))


async def test_app_shows_the_first_frame_before_the_engine_starts(
    app: StokerApp, fake_engine: FakeEngine, wait_until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import of torch must not delay the first frame."""
    frames: list[int] = []
    started = EngineThread.start

    def start(thread: EngineThread) -> None:
        frames.append(app.dashboard.query_one("#state").content_size.width)
        started(thread)

    monkeypatch.setattr(EngineThread, "start", start)
    async with app.run_test(size=(80, 24)):
        await wait_until(lambda: app.dashboard.view.step > 10)
        assert frames == [80]
        app.dashboard.action_send("stop")
        await wait_until(lambda: app.finished)


async def test_run_resumes_at_its_step_after_pause_save_and_quit(
    app: StokerApp, run_folder: RunFolder, fake_engine: FakeEngine, wait_until: Until
) -> None:
    """A whole session, with keys only."""
    view = app.dashboard.view
    async with app.run_test() as pilot:
        await wait_until(lambda: view.step > 20)
        await wait_until(lambda: "d" in app.screen.active_bindings)
        await pilot.press("space")
        await wait_until(lambda: view.state == "paused")
        await pilot.press("s")
        await wait_until(lambda: view.current.checkpoints)
        assert view.current.checkpoints[-1].step == view.step
        await pilot.press("q")
        await wait_until(lambda: isinstance(app.screen, Confirm))
        await pilot.press("n")
        await wait_until(lambda: app.screen is app.dashboard)
        assert view.state == "paused" and app.is_running
        await pilot.press("ctrl+c")
        await wait_until(lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")
        await wait_until(lambda: app.finished)
    assert (app.return_code, app.error) == (0, None)
    assert app.finished is not None and app.finished.cause == "stopped"
    again = StokerApp(run_folder, engine=EngineThread(run_folder))
    async with again.run_test() as pilot:
        await wait_until(lambda: again.dashboard.view.step > view.step)
        train = again.dashboard.view.current.train
        assert (train.base, train.length) == (1, again.dashboard.view.step)
        assert train.values[: view.step].tolist() == view.current.train.values.tolist()
        await pilot.press("q", "y")
        await wait_until(lambda: again.finished)


async def test_finished_run_resumes_on_r(app: StokerApp, fake_engine: FakeEngine, wait_until: Until) -> None:
    """The dashboard stays open, and r starts an engine again."""
    fake_engine.last = 20
    async with app.run_test() as pilot:
        await wait_until(lambda: app.dashboard.view.state == "completed")
        await wait_until(lambda: app.finished and "r" in app.screen.active_bindings)
        fake_engine.last = 40
        await pilot.press("r")
        await wait_until(lambda: app.dashboard.view.state == "completed" and app.dashboard.view.step == 40)
        await wait_until(lambda: not app.engine.running)
        await pilot.press("q")
    assert app.return_code == 0 and fake_engine.started == 2


async def test_app_ends_if_the_engine_refuses_the_first_start(
    app: StokerApp, fake_engine: FakeEngine, wait_until: Until
) -> None:
    """The command line prints one line and exits with code 2."""
    fake_engine.error = RunError("another engine trains this run")
    async with app.run_test():
        await wait_until(lambda: app.error)
    assert (app.return_code, app.error) == (2, fake_engine.error)


async def test_app_notifies_if_the_engine_refuses_to_resume(
    app: StokerApp, fake_engine: FakeEngine, wait_until: Until
) -> None:
    """The dashboard stays open, because the run has a history to show."""
    fake_engine.last = 20
    async with app.run_test() as pilot:
        await wait_until(lambda: app.finished)
        await wait_until(lambda: app.dashboard.view.state == "completed" and "r" in app.screen.active_bindings)
        fake_engine.error = RunError("nothing is left to train")
        await pilot.press("r")
        await wait_until(lambda: app._notifications)
        await wait_until(lambda: app.dashboard.view.state == "completed")
        await pilot.press("q")
    assert (app.return_code, app.error) == (0, None)


async def test_dashboard_shows_an_error_of_the_training(
    app: StokerApp, fake_engine: FakeEngine, wait_until: Until
) -> None:
    """The dashboard shows the error until q; then the exit code is 1."""
    fake_engine.error = ZeroDivisionError("in the task's loss")
    async with app.run_test() as pilot:
        await wait_until(lambda: app.dashboard.view.state == "failed")
        lines = [text for _, _, text in app.dashboard.view.lines]
        assert any("ZeroDivisionError: in the task's loss" in text for text in lines)
        await pilot.press("q")
    assert app.return_code == 1
    assert "ZeroDivisionError" in str(app.error)


async def test_attached_dashboard_quits_without_a_question(run_folder: RunFolder, wait_until: Until) -> None:
    """The run continues in the other process."""
    app = StokerApp(run_folder, source=Recorded(run()))
    async with app.run_test() as pilot:
        await wait_until(lambda: app.dashboard.view.step == 330)
        await pilot.press("q")
    assert app.return_code == 0


async def test_ctrl_c_twice_saves_and_quits(app: StokerApp, fake_engine: FakeEngine, wait_until: Until) -> None:
    """The second Ctrl+C confirms the question of the first."""
    async with app.run_test() as pilot:
        await wait_until(lambda: app.dashboard.view.step > 5)
        await pilot.press("ctrl+c")
        await wait_until(lambda: isinstance(app.screen, Confirm))
        await pilot.press("ctrl+c")
        await wait_until(lambda: app.finished)
    assert app.finished is not None and app.finished.cause == "stopped"


async def test_quit_question_closes_when_the_run_ends(
    app: StokerApp, fake_engine: FakeEngine, wait_until: Until
) -> None:
    """There is nothing left to save, and the dashboard shows the end."""
    async with app.run_test() as pilot:
        await wait_until(lambda: app.dashboard.view.step > 5)
        await pilot.press("q")
        await wait_until(lambda: isinstance(app.screen, Confirm))
        app.dashboard.action_send("stop")
        await wait_until(lambda: app.screen is app.dashboard)
        assert app.finished is not None and app.is_running


async def test_quit_question_offers_to_detach(app: StokerApp, fake_engine: FakeEngine, wait_until: Until) -> None:
    """The key d saves the run and leaves it to a background process."""
    async with app.run_test(size=(100, 30)) as pilot:
        await wait_until(lambda: app.dashboard.view.step > 5)
        await pilot.press("q")
        await wait_until(lambda: isinstance(app.screen, Leave))
        await wait_until(lambda: app.screen.query("#detach"))
        await pilot.press("d")
        await wait_until(lambda: app.finished)
    assert app.continues_in_background


async def test_quit_question_of_a_paused_run_does_not_offer_to_detach(
    app: StokerApp, fake_engine: FakeEngine, wait_until: Until
) -> None:
    """A background process would train on unasked."""
    async with app.run_test(size=(100, 30)) as pilot:
        await wait_until(lambda: app.dashboard.view.step > 5)
        await pilot.press("space")
        await wait_until(lambda: app.dashboard.view.state == "paused")
        await pilot.press("q")
        await wait_until(lambda: isinstance(app.screen, Leave) and app.screen.query("#yes"))
        assert not app.screen.query("#detach")
        await pilot.press("d")
        await pilot.pause()
        assert isinstance(app.screen, Leave) and not app.detached


async def test_detach_is_refused_while_the_run_is_paused(
    app: StokerApp, fake_engine: FakeEngine, wait_until: Until
) -> None:
    """A background process would train on, though nobody asked for it."""
    async with app.run_test() as pilot:
        await wait_until(lambda: app.dashboard.view.step > 0)
        await pilot.press("space")
        await wait_until(lambda: app.dashboard.view.state == "paused")
        await pilot.press("d")
        await pilot.pause(0.1)
        assert not app.detached and app.engine is not None and app.engine.running
        assert app.dashboard.view.state == "paused"
        await pilot.press("q", "y")
        await wait_until(lambda: app.finished)
    assert not app.continues_in_background


@pytest.mark.usefixtures("fake_engine")
async def test_signal_at_the_start_ends_the_app_before_the_engine_starts(
    run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch, wait_until: Until
) -> None:
    """The app is told to leave just before its first frame would start the engine, which then trained unseen."""
    start = StokerApp.on_dashboard_caught_up

    def signalled(app: StokerApp) -> None:
        app.leave(143)
        start(app)

    monkeypatch.setattr(StokerApp, "on_dashboard_caught_up", signalled)
    app = StokerApp(run_folder, engine=EngineThread(run_folder))
    async with app.run_test():
        await wait_until(lambda: app.return_code is not None)
    assert app.engine is not None and not app.engine.started
    assert app.return_code == 143
