"""The list of runs by keys: open, resume, mark, filter, delete."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from stoker.engine.runs.folder import RunFolder, list_runs
from stoker.tui.app.app import StokerApp
from stoker.tui.screens.compare import Compare
from stoker.tui.screens.confirm import Confirm
from stoker.tui.screens.dashboard import Dashboard
from stoker.tui.screens.runs import RunsScreen
from stoker.tui.widgets.runs_table import RunsTable
from stoker.tui.widgets.screen_header import ScreenHeader
from tests.support.evaluations import text_of
from tests.support.fake_engine import FakeEngine
from tests.support.recorded import run
from tests.support.run_folders import COMPLETED, several, write

Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
def at(tmp_path: Path) -> Path:
    """Return the path of the folder of runs."""
    return tmp_path / "runs"


def app_of(at: Path) -> StokerApp:
    """Return an app that starts with the list."""
    return StokerApp(first=RunsScreen(at), runs=at)


def listed(app: StokerApp) -> list[str]:
    """Return the names in the table."""
    return [row.run for table in app.screen.query(RunsTable) for row in table._rows]


async def test_the_runs_are_listed_newest_first_and_new_ones_appear(at: Path, wait_until: Until) -> None:
    """New runs appear, and the cursor stays on its run."""
    several(at)
    app = app_of(at)
    async with app.run_test(size=(120, 40)) as pilot:
        names = ["digits-hot", "digits-wide", "digits-dropout-0.5", "digits-dropout-0.2"]
        await wait_until(lambda: listed(app) == names)
        states = [row.state for row in app.screen.query_one(RunsTable)._rows]
        assert states == ["failed", "lost", "early_stopping", "completed"]
        await pilot.press("down")
        write(at, "newer", COMPLETED, started=2e9)
        app.screen.poll()
        await wait_until(lambda: listed(app) == ["newer", *names])
        assert app.screen.folder == RunFolder(at / "digits-wide")


async def test_an_empty_folder_says_what_to_do(at: Path, wait_until: Until) -> None:
    """An empty folder shows a note, and the keys for a run are hidden."""
    app = app_of(at)
    async with app.run_test() as pilot:
        await wait_until(lambda: any("stoker run iris" in str(words.render()) for words in app.screen.query("#empty")))
        await pilot.press("r", "ctrl+d", "delete", "c", "space", "e", "X")
        assert isinstance(app.screen, RunsScreen)
        assert app.screen.active_bindings["enter"].binding.action == "demo"
        assert not {"r", "ctrl+d", "delete", "c", "space", "e"} & set(app.screen.active_bindings)


async def test_enter_in_an_empty_folder_starts_the_demonstration(
    at: Path, fake_engine: FakeEngine, wait_until: Until
) -> None:
    """It trains in this window, with hints that vanish once they were tried."""
    app = app_of(at)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(lambda: "enter" in app.screen.active_bindings)
        await pilot.press("enter")
        await wait_until(lambda: isinstance(app.screen, Dashboard) and app.screen.view.step > 5)
        hints = app.screen.query_one("#hints")
        assert hints.display and "space pauses" in str(hints.render())
        await pilot.press("space")
        await wait_until(lambda: "space pauses" not in str(hints.render()))
        app.screen.action_send("stop")
        await wait_until(lambda: app.finished)
    assert [folder.record().task for folder in list_runs(at)] == ["digits"]


async def test_enter_opens_and_escape_comes_back(at: Path, wait_until: Until) -> None:
    """The list is the first screen, so q quits there."""
    several(at)
    app = app_of(at)
    async with app.run_test() as pilot:
        for key in ("escape", "q"):
            await wait_until(lambda: len(listed(app)) == 4)
            await pilot.press("enter")
            await wait_until(lambda: isinstance(app.screen, Dashboard) and app.screen.view.step == 120)
            await pilot.press(key)
            await wait_until(lambda: isinstance(app.screen, RunsScreen))
        await pilot.press("q")
    assert app.return_code == 0


async def test_a_resumed_run_trains_on_behind_the_list(at: Path, wait_until: Until, fake_engine: FakeEngine) -> None:
    """The run keeps training in the list, its dashboard can be opened again, and quitting saves it."""
    folder = write(at, "one", run(540))
    app = app_of(at)
    async with app.run_test() as pilot:
        await wait_until(lambda: listed(app))
        await pilot.press("r")
        await wait_until(lambda: app.engine and app.engine.running and app.dashboard.view.step > 10)
        await pilot.press("q")
        await wait_until(lambda: isinstance(app.screen, RunsScreen))
        assert app.engine.running and folder.locked()
        await wait_until(lambda: app.screen.query_one(RunsTable)._rows[0].state == "training")
        await pilot.press("r", "ctrl+d")
        assert len(app._notifications) == 2 and isinstance(app.screen, RunsScreen)
        await pilot.press("enter")
        await wait_until(lambda: isinstance(app.screen, Dashboard))
        before = app.engine.controls
        await wait_until(lambda: app.dashboard.view.step > 10 and app.engine.controls is before)
        await wait_until(lambda: "d" in app.screen.active_bindings)
        await pilot.press("escape")
        await wait_until(lambda: isinstance(app.screen, RunsScreen))
        await pilot.press("q")
        await wait_until(lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await wait_until(lambda: app.finished)
    assert app.finished.cause == "stopped" and app.return_code == 0


async def test_another_run_is_not_resumed_beside_the_one_that_trains(
    at: Path, wait_until: Until, fake_engine: FakeEngine
) -> None:
    """A process trains one run at a time."""
    several(at)
    app = app_of(at)
    async with app.run_test() as pilot:
        await wait_until(lambda: listed(app))
        await pilot.press("r")
        await wait_until(lambda: app.engine and app.engine.running)
        await pilot.press("escape")
        await wait_until(lambda: isinstance(app.screen, RunsScreen))
        await pilot.press("down", "r")
        await wait_until(lambda: app._notifications)
        assert isinstance(app.screen, RunsScreen) and fake_engine.started == 1
        await pilot.press("enter")
        await wait_until(lambda: isinstance(app.screen, Dashboard) and "r" in app.screen.active_bindings)
        await pilot.press("r")
        await wait_until(lambda: len(app._notifications) > 1)
        assert fake_engine.started == 1
        await pilot.press("ctrl+c")
        await wait_until(lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await wait_until(lambda: app.finished)


async def test_delete_asks_and_deletes(at: Path, wait_until: Until) -> None:
    """Only the answer yes deletes the run."""
    several(at)
    app = app_of(at)
    async with app.run_test() as pilot:
        await wait_until(lambda: len(listed(app)) == 4)
        for answer, left in (("n", 4), ("y", 3)):
            await pilot.press("ctrl+d")
            await wait_until(lambda: isinstance(app.screen, Confirm))
            await pilot.press(answer)
            await wait_until(lambda left=left: isinstance(app.screen, RunsScreen) and len(listed(app)) == left)
    assert "digits-hot" not in {folder.name for folder in list_runs(at)} and not (at / "digits-hot").exists()


async def test_the_key_that_exports_elsewhere_does_not_delete(at: Path, wait_until: Until) -> None:
    """`x` exports in the results, and `delete` deletes in the list."""
    write(at, "one", run(540))
    app = app_of(at)
    async with app.run_test() as pilot:
        await wait_until(lambda: listed(app))
        await pilot.press("x")
        assert isinstance(app.screen, RunsScreen)
        await pilot.press("delete")
        await wait_until(lambda: isinstance(app.screen, Confirm))


async def test_a_run_that_is_trained_is_never_deleted(at: Path, wait_until: Until) -> None:
    """A run that starts during the question is not deleted either."""
    folder = write(at, "one", COMPLETED)
    app = app_of(at)
    async with app.run_test() as pilot:
        await wait_until(lambda: listed(app))
        with folder.lock():
            await pilot.press("ctrl+d")
            await wait_until(lambda: app._notifications)
            assert isinstance(app.screen, RunsScreen)
        await pilot.press("ctrl+d")
        await wait_until(lambda: isinstance(app.screen, Confirm))
        with folder.lock():
            await pilot.press("y")
            await wait_until(lambda: len(app._notifications) == 2)
    assert (folder.path / "run.json").exists()


async def test_a_filter_is_typed_and_ended(at: Path, wait_until: Until) -> None:
    """Every word must occur in the name, the task or the state."""
    several(at)
    app = app_of(at)
    async with app.run_test() as pilot:
        await wait_until(lambda: len(listed(app)) == 4)
        await pilot.press("slash", *"dropout early")
        await wait_until(lambda: listed(app) == ["digits-dropout-0.5"])
        await pilot.press("enter", "slash", *"zzz")
        await wait_until(lambda: "No run matches" in str(app.screen.query_one("#empty").render()))
        await pilot.press("escape")
        await wait_until(lambda: len(listed(app)) == 4)


async def test_the_filter_finds_settings_parameters_and_metrics(at: Path, wait_until: Until) -> None:
    """What a person set, and what was measured, tells runs apart; a number may be given with its name."""
    write(at, "one", COMPLETED, optimizer="adamw", scheduler="cosine")
    write(at, "two", run(20), scheduler="plateau", hidden=64)
    app = app_of(at)
    async with app.run_test():
        await wait_until(lambda: len(listed(app)) == 2)
        for words, names in (
            ("AdamW", ["one"]),
            ("cosine", ["one"]),
            ("accuracy", ["one"]),
            ("plateau hidden=64", ["two"]),
            ("lr=0.01 patience=5 digits", ["two", "one"]),
            ("lr=0.02", []),
        ):
            app.screen.query_one("#filter", Input).value = words
            await wait_until(lambda names=names: sorted(listed(app)) == sorted(names))
        await wait_until(lambda: "No run matches lr=0.02" in str(app.screen.query_one("#empty").render()))


async def test_marked_runs_are_compared(at: Path, wait_until: Until) -> None:
    """The runs are compared in the order of the list."""
    several(at)
    app = app_of(at)
    async with app.run_test() as pilot:
        await wait_until(lambda: len(listed(app)) == 4)
        await pilot.press("c")
        await wait_until(lambda: app._notifications)
        await pilot.press("space", "down", "space", "c")
        await wait_until(lambda: isinstance(app.screen, Compare))
        assert [run.folder.name for run in app.screen._runs] == ["digits-hot", "digits-dropout-0.5"]
        await pilot.press("escape")
        await wait_until(lambda: isinstance(app.screen, RunsScreen))


async def test_names_are_shown_as_they_are(at: Path, wait_until: Until) -> None:
    """Names with markup, 100 characters or Chinese are shown as text."""
    for name in ("[bold]x", "n" * 100, "数字识别"):
        write(at, name, COMPLETED)
    app = app_of(at)
    async with app.run_test(size=(60, 12)):
        await wait_until(lambda: len(listed(app)) == 3)
        cells = [str(app.screen.query_one(RunsTable).get_cell(name, "run")) for name in ("[bold]x", "数字识别")]
        assert cells == ["[bold]x", "数字识别"]


async def test_the_footer_follows_the_filter(at: Path, wait_until: Until) -> None:
    """An empty list has no filter; while a person types, the footer shows how to end it."""
    app = app_of(at)
    async with app.run_test() as pilot:
        await wait_until(lambda: isinstance(app.screen, RunsScreen) and app.screen.query_one("#empty").display)
        assert "slash" not in app.screen.active_bindings
        several(at)
        app.screen.poll()
        await wait_until(lambda: len(listed(app)) == 4 and "slash" in app.screen.active_bindings)
        assert "escape" not in app.screen.active_bindings
        await pilot.press("slash", "w", "i", "d", "e")
        await wait_until(lambda: len(listed(app)) == 1)
        shown = {binding.description for _, binding, _, _ in app.screen.active_bindings.values() if binding.show}
        assert "Show all" in shown and "Filter" not in shown
        await pilot.press("escape")
        await wait_until(lambda: len(listed(app)) == 4)
        await pilot.press("space", "escape")
        assert not app.screen.marked


@pytest.mark.parametrize(("width", "whole"), [(80, True), (40, False)])
async def test_a_name_by_task_and_time_is_whole_at_80_columns(
    at: Path, wait_until: Until, width: int, whole: bool
) -> None:
    """The other columns are only as wide as their content."""
    name = "digits-20250615-150640"
    write(at, name, COMPLETED)
    app = app_of(at)
    async with app.run_test(size=(width, 24)):
        await wait_until(lambda: "digits-2" in text_of(app))
        assert (name in text_of(app)) == whole
        assert "completed" in text_of(app) and "12/12" in text_of(app) if whole else "…" in text_of(app)
        row = next(row for row in text_of(app).split("\n") if "digits-2" in row)
        assert len(row.rstrip()) <= width


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
async def test_folders_that_may_not_be_read_are_counted_by_mode(at: Path, wait_until: Until) -> None:
    """The list says that it is not complete."""
    several(at)
    (at / "digits-wide").chmod(0)
    app = app_of(at)
    async with app.run_test(size=(120, 40)):
        await wait_until(lambda: "1 not readable" in str(app.screen.query_one("#title", ScreenHeader).render()))
    (at / "digits-wide").chmod(0o700)


async def test_folders_that_may_not_be_read_are_counted(
    at: Path, wait_until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list says that it is not complete, also where it shows no run at all."""
    several(at)
    monkeypatch.setattr("stoker.tui.state.run_index.scan_runs", lambda runs: ([], 4))
    app = app_of(at)
    async with app.run_test(size=(120, 40)):
        await wait_until(lambda: "4 not readable" in str(app.screen.query_one("#title", ScreenHeader).render()))
