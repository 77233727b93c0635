"""A run that reached its end is asked how much longer it shall train, in its dashboard and in the list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fake_engine import FakeEngine
from recorded import EPOCHS, run, time_of
from textual.widgets import Input
from written import COMPLETED, write

from stoker.engine import events as e
from stoker.tui.app import StokerApp
from stoker.tui.screens.confirm import Confirm
from stoker.tui.screens.number import AskNumber
from stoker.tui.screens.runs import Runs
from stoker.tui.widgets.runs_table import RunsTable

Until = Callable[[Callable[[], object]], Awaitable[None]]
EARLY = [*run(330), e.RunFinished(at=time_of(330), step=330, epoch=8, cause="early_stopping")]


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
        await until(lambda: "r" in app.screen.active_bindings)
        await pilot.press("r")
        await until(lambda: isinstance(app.screen, AskNumber))
        await pilot.press("escape")
        await until(lambda: app.screen is app.dashboard)
        assert not engine.started and folder.record().given == {}
        await pilot.press("r")
        await until(lambda: isinstance(app.screen, AskNumber))
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


async def test_a_question_that_comes_too_late_is_answered(tmp_path: Path, until: Until, engine: FakeEngine) -> None:
    """Somebody else trains the run by now: nothing is changed, and it is said."""
    folder = write(tmp_path / "runs", "one", COMPLETED)
    app = StokerApp(folder)
    async with app.run_test() as pilot:
        await until(lambda: "r" in app.screen.active_bindings)
        await pilot.press("r")
        await until(lambda: isinstance(app.screen, AskNumber))
        with folder.lock():
            await pilot.press("enter")
            await until(lambda: app._notifications)
        assert folder.record().given == {} and not engine.started
        await pilot.press("q")
