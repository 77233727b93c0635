"""Controlling a run by keys: the commands, when they are possible, and their errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from stoker.engine.runs import events as e
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.backend.source import FolderSource
from stoker.tui.screens.confirm import Confirm
from stoker.tui.screens.prompt import AskNumber, parse_above, parse_learning_rate
from stoker.tui.widgets.panel import Panel
from tests.support.recorded import Recorded, run, started, time_of

Until = Callable[[Callable[[], object]], Awaitable[None]]
NOW = time_of(330) + 0.5


def app_of(folder: RunFolder, source: Recorded) -> StokerApp:
    return StokerApp(folder, source=source, clock=lambda: NOW)


def offered(app: StokerApp) -> frozenset[str]:
    return app.dashboard.controls.offers(app.dashboard.view, NOW)


def text_of(app: StokerApp) -> str:
    panels = app.dashboard.query(Panel)
    return "\n".join(panel.render_line(y).text for panel in panels for y in range(panel.size.height))


async def test_the_learning_rate_changes_by_a_factor_from_the_requested_one(
    run_folder: RunFolder, wait_until: Until
) -> None:
    """Two quick presses are two factors; after the answer the next press starts from the engine's rate."""
    source = Recorded(run())
    app = app_of(run_folder, source)
    async with app.run_test() as pilot:
        await wait_until(lambda: "set_learning_rate" in offered(app))
        await pilot.press("plus", "plus", "minus")
        assert [command.lr for command in source.asked] == [0.00625, 0.007812, 0.00625]
        assert app.dashboard.view.lr == [0.005]
        last = source.asked[-1]
        source.more(
            e.LearningRate(at=NOW, step=330, lr=[0.004], cause="command"),
            e.CommandAnswered(at=NOW, id=last.id, command=last.command, status="done"),
        )
        await wait_until(lambda: app.dashboard.view.lr == [0.004])
        await pilot.press("plus")
        assert source.asked[-1].lr == 0.005


async def test_a_learning_rate_is_typed_and_checked(run_folder: RunFolder, wait_until: Until) -> None:
    """An invalid number stays in the input; escape sends nothing."""
    source = Recorded(run())
    app = app_of(run_folder, source)
    async with app.run_test() as pilot:
        await wait_until(lambda: "set_learning_rate" in offered(app))
        await pilot.press("equals_sign")
        await wait_until(lambda: isinstance(app.screen, AskNumber))
        field = app.screen.query_one(Input)
        field.value = "-1"
        await pilot.press("enter")
        await wait_until(lambda: app.screen.query("#hint.-wrong"))
        assert isinstance(app.screen, AskNumber)
        field.value = "3e-4"
        await pilot.press("enter")
        await wait_until(lambda: app.screen is app.dashboard)
        assert [(command.command, command.lr) for command in source.asked] == [("set_learning_rate", 3e-4)]
        await pilot.press("equals_sign")
        await wait_until(lambda: isinstance(app.screen, AskNumber))
        await pilot.press("escape")
        await wait_until(lambda: app.screen is app.dashboard)
        assert len(source.asked) == 1


@pytest.mark.parametrize(
    ("text", "rate"),
    [("1e-3", 1e-3), (" 0.5 ", 0.5), ("0", None), ("nan", None), ("inf", None), ("", None), ("x", None)],
)
def test_a_typed_learning_rate_is_parsed(text: str, rate: float | None) -> None:
    """A learning rate is a finite number above 0."""
    assert parse_learning_rate(text) == rate


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("21", 21),
        (" 1,000 ", 1000),
        ("20", None),
        ("-21", None),
        ("21.0", None),
        ("²", None),
        ("", None),
        ("9" * 5000, None),
        (str(10**10), 10**10),
    ],
)
def test_a_typed_limit_is_parsed(text: str, number: int | None) -> None:
    """The new limit is a whole number above the old one."""
    assert parse_above(20, text) == number


async def test_stopping_asks_first(run_folder: RunFolder, wait_until: Until) -> None:
    """Only the answer yes sends the command."""
    source = Recorded(run())
    app = app_of(run_folder, source)
    async with app.run_test() as pilot:
        await wait_until(lambda: "stop" in offered(app))
        for answer, asked in (("n", []), ("y", ["stop"])):
            await pilot.press("S")
            await wait_until(lambda: isinstance(app.screen, Confirm))
            await pilot.press(answer)
            await wait_until(lambda: app.screen is app.dashboard)
            assert [command.command for command in source.asked] == asked


async def test_a_pause_can_free_the_device(run_folder: RunFolder, wait_until: Until) -> None:
    """The key works while the run trains and while it is paused."""
    source = Recorded(run())
    app = app_of(run_folder, source)
    async with app.run_test() as pilot:
        await wait_until(lambda: "release" in offered(app))
        await pilot.press("P")
        source.more(e.Paused(at=NOW, step=330))
        await wait_until(lambda: app.dashboard.view.paused)
        await pilot.press("P")
        assert [(command.command, command.release) for command in source.asked] == [("pause", True)] * 2


async def test_a_run_on_another_machine_is_read_only(run_folder: RunFolder, wait_until: Until) -> None:
    """No command is possible, and the status bar names the host."""
    source = Recorded(run(), remote=True)
    app = app_of(run_folder, source)
    async with app.run_test(size=(100, 30)) as pilot:
        await wait_until(lambda: "read-only: trains on forge" in text_of(app))
        await pilot.press("space", "s", "e", "r", "S", "P", "plus", "equals_sign")
        assert not source.asked and app.screen is app.dashboard
        source.more(e.RunFinished(at=NOW))
        source.die()
        await wait_until(lambda: "restart" in offered(app))
        await wait_until(lambda: "read-only" not in text_of(app))


def test_another_machine_is_known_by_the_lock(run_folder: RunFolder) -> None:
    """The lock file names the host."""
    source = FolderSource(run_folder)
    assert not source.alive() and not source.remote()
    Path(run_folder.path / "lock").write_text("somewhere-else 4711\n")
    source = FolderSource(run_folder)
    assert not source.alive() and source.remote()


async def test_a_save_that_failed_stays_until_one_succeeds(run_folder: RunFolder, wait_until: Until) -> None:
    """The status bar shows it, because every screen size has one."""
    source = Recorded([*run(), e.Warned(at=NOW, step=330, kind="save_failed", message="no space left on device")])
    app = app_of(run_folder, source)
    async with app.run_test() as pilot:
        await wait_until(lambda: "not saved" in text_of(app))
        source.more(e.Resumed(at=NOW))
        await pilot.pause()
        app.dashboard.tick()
        assert app.dashboard.view.save_failed == "no space left on device"
        source.more(e.CheckpointSaved(at=NOW, step=331, path="checkpoints/latest.pt"))
        await wait_until(lambda: "not saved" not in text_of(app))


async def test_nan_and_the_end_ring(run_folder: RunFolder, wait_until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither past events nor a person's own commands ring the bell."""
    rung: list[str] = []
    monkeypatch.setattr(StokerApp, "bell", lambda self: rung.append(self.title))
    old = [e.RunFinished(at=NOW), started(330, at=NOW)]
    source = Recorded([*run(), *old])
    app = app_of(run_folder, source)
    async with app.run_test():
        await wait_until(lambda: "stop" in offered(app))
        source.more(e.Warned(at=NOW, kind="nan", message="the loss is not finite"), e.Warned(at=NOW, kind="note"))
        await wait_until(lambda: rung == ["NaN: digits-recorded"])
        source.more(e.RunFinished(at=NOW, cause="stopped"), e.RunFinished(at=NOW, cause="early_stopping"))
        await wait_until(lambda: rung[1:] == ["stopped early: digits-recorded"])


@pytest.mark.parametrize(
    ("events", "alive", "remote", "key", "words"),
    [
        (run(), True, False, "d", "does not train in this window"),
        (run(), True, False, "r", "already trains"),
        (run(), True, False, "f", "no folds"),
        (run(), True, False, "9", "3 plots"),
        (run(5), True, False, "m", "too few steps"),
        (run(5), True, False, "w", "too few steps"),
        ([*run(), e.RunFinished(at=NOW)], False, False, "P", "no engine"),
        ([*run(), e.RunFinished(at=NOW)], False, False, "plus", "no engine"),
        (run(), False, False, "space", "no engine"),
        (run(), True, True, "s", "another machine"),
        ([], True, False, "e", "loading"),
    ],
)
async def test_a_key_without_effect_says_why(
    run_folder: RunFolder, wait_until: Until, events: list[e.Event], alive: bool, remote: bool, key: str, words: str
) -> None:
    """A key that does nothing and says nothing looks broken."""
    source = Recorded(events, alive=alive, remote=remote)
    app = app_of(run_folder, source)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(lambda: app.dashboard.view.caught_up)
        app.dashboard.tick()
        await pilot.press("escape", key)
        (notice,) = app._notifications
        assert words in notice.message and not source.asked


async def test_released_memory_is_shown(run_folder: RunFolder, wait_until: Until) -> None:
    """A paused run does not change on the screen when its memory is released, or on a CPU none is."""
    source = Recorded([*run(), e.Paused(at=NOW, step=330)])
    app = app_of(run_folder, source)
    async with app.run_test() as pilot:
        await wait_until(lambda: "release" in offered(app))
        await pilot.press("P")
        (command,) = source.asked
        words = "already paused, released 0 MiB of cpu"
        source.more(e.CommandAnswered(at=NOW, id=command.id, command="pause", status="done", message=words))
        await wait_until(lambda: [notice.message for notice in app._notifications] == [words])
