"""The dashboard as a person uses it: keys send commands, and the screen shows only events."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.strip import Strip
from textual.widget import Widget

from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Command
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.screens.help import Help
from stoker.tui.state.gpu_stats import Gpu
from stoker.tui.state.system_stats import SystemReading, SystemStats
from stoker.tui.widgets.event_log import EventLog
from stoker.tui.widgets.panel import Panel
from stoker.tui.widgets.plot import PlotWidget
from stoker.tui.widgets.row_widget import RowWidget
from stoker.tui.widgets.system_panel import SystemPanel
from tests.support.recorded import BEGAN, Recorded, body, folds, footed, run, settled, started, time_of

Until = Callable[[Callable[[], object]], Awaitable[None]]
NOW = time_of(330) + 0.5


def app_of(folder: RunFolder, source: Recorded) -> StokerApp:
    return StokerApp(folder, source=source, clock=lambda: NOW)


def offered(app: StokerApp) -> dict[str, str]:
    """Return the footer as a dictionary from key to words."""
    return {
        key: active.binding.description for key, active in app.screen.active_bindings.items() if active.binding.show
    }


def text_of(app: StokerApp) -> str:
    """Return the text of all panels."""
    panels = app.dashboard.query(Panel)
    return "\n".join(panel.render_line(y).text for panel in panels for y in range(panel.size.height))


async def test_a_key_asks_and_changes_nothing(run_folder: RunFolder, wait_until: Until) -> None:
    """The status changes by the event, not by the key press."""
    source = Recorded(run())
    app = app_of(run_folder, source)
    async with app.run_test() as pilot:
        await wait_until(lambda: "pause" in app.dashboard.controls.offers(app.dashboard.view, NOW))
        await pilot.press("space", "s", "e")
        assert [command.command for command in source.asked] == ["pause", "save", "evaluate"]
        assert app.dashboard.view.state == "training"
        assert "paused" not in text_of(app)
        source.more(e.Paused(at=NOW, step=330))
        await wait_until(lambda: "paused" in text_of(app))
        await pilot.press("space")
        assert source.asked[-1].command == "resume"
        await pilot.press("r")
        assert source.asked[-1].command == "resume"


@pytest.mark.parametrize(
    ("last", "alive", "keys"),
    [
        ([], True, {"space": "Pause", "s": "Save", "e": "Evaluate"}),
        ([e.Paused(at=NOW)], True, {"space": "Continue", "r": "Resume", "s": "Save", "e": "Evaluate"}),
        ([e.RunFinished(at=NOW)], False, {"r": "Resume"}),
        ([e.RunFinished(at=NOW, cause="failed")], False, {"r": "Resume"}),
        ([], False, {"r": "Resume"}),
    ],
)
async def test_the_footer_offers_possible_actions(
    run_folder: RunFolder, wait_until: Until, last: list[e.Event], alive: bool, keys: dict[str, str]
) -> None:
    """The cases: training, paused, completed, failed, interrupted."""
    always = {"tab": "Plot", "question_mark": "Help", "q": "Quit"}
    app = app_of(run_folder, Recorded([*run(), *last], alive=alive))
    async with app.run_test():
        await wait_until(lambda: offered(app) == keys | always)


async def test_no_command_is_possible_before_the_first_event(run_folder: RunFolder, wait_until: Until) -> None:
    """Without an event the run is loading, and no command is sent."""
    source = Recorded([])
    app = app_of(run_folder, source)
    async with app.run_test() as pilot:
        await wait_until(lambda: "loading…" in text_of(app))
        await pilot.press("space", "s", "e", "r")
        assert not source.asked


async def test_a_failed_command_is_shown(run_folder: RunFolder, wait_until: Until) -> None:
    """A failed command is a notification, and the panels stay."""
    source = Recorded(run())
    app = app_of(run_folder, source)
    async with app.run_test() as pilot:
        await wait_until(lambda: "s" in offered(app))
        await pilot.press("s")
        (command,) = source.asked
        answer: dict[str, Any] = {"command": "save", "status": "failed", "message": "no space left on [device]"}
        source.more(
            e.CommandAnswered(at=NOW, id="somebody else's", **answer),
            e.CommandAnswered(at=NOW, id=command.id, **answer),
        )
        await wait_until(lambda: app._notifications)
        assert [notice.message for notice in app._notifications] == ["save: no space left on [device]"]
        assert sum("no space left" in text for _, _, text in app.dashboard.view.lines) == 2


async def test_a_command_that_cannot_be_sent_is_shown(run_folder: RunFolder, wait_until: Until) -> None:
    """The run folder may be read-only or deleted."""

    class Broken(Recorded):
        def send(self, command: Command) -> str:
            raise PermissionError(13, "Permission denied")

    app = app_of(run_folder, Broken(run()))
    async with app.run_test() as pilot:
        await wait_until(lambda: "s" in offered(app))
        await pilot.press("s")
        await wait_until(lambda: [n.message for n in app._notifications] == ["could not send save: Permission denied"])


async def test_all_panels_show_the_run(run_folder: RunFolder, wait_until: Until) -> None:
    """Progress, early stopping, checkpoints, learning rate, status and log have the values of the events."""
    app = app_of(run_folder, Recorded(run()))
    async with app.run_test(size=(120, 40)):
        await wait_until(lambda: "330" in text_of(app))
        text = text_of(app)
        for words in ("digits-recorded", "cpu on forge", "24,346", "330 / 540", "8 / 12", "2 of 5", "at 225", "0.005"):
            assert words in text, words
        assert "2,880" in text and "best" in text
        log = app.dashboard.query_one(EventLog)
        assert "resumed" not in str(log._rows) and "best so far" in str(log._rows)


async def test_nothing_is_drawn_while_nothing_changes(
    run_folder: RunFolder, wait_until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open dashboard of an unchanged run draws nothing."""
    app = app_of(run_folder, Recorded([*run(), e.RunFinished(at=NOW)], alive=False))
    async with app.run_test() as pilot:
        await wait_until(lambda: all(settled(curve) for curve in app.dashboard.query(PlotWidget)))
        await pilot.pause()  # let the last rows be rendered
        drawn: list[object] = []
        for kind in (PlotWidget, Panel):
            monkeypatch.setattr(kind, "strip_of", lambda self, _: drawn.append(self) or Strip.blank(1))
        for _ in range(20):
            app.dashboard.tick()
            await pilot.pause()
        assert not drawn


async def test_plots_grow_with_the_run(run_folder: RunFolder, wait_until: Until) -> None:
    """A new point changes the layout of the plot."""
    source = Recorded(run(100))
    app = app_of(run_folder, source)
    async with app.run_test():
        curve = app.dashboard.query_one("#large", PlotWidget)
        await wait_until(lambda: curve._layout is not None and curve._layout.lines)
        before = curve._layout
        source.more(*body(100, 330))
        await wait_until(lambda: curve._layout != before)


async def test_every_size_works(run_folder: RunFolder, wait_until: Until) -> None:
    """The screen can be resized at any time, down to a few cells."""
    app = app_of(run_folder, Recorded(run()))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(lambda: "330" in text_of(app))
        for width, height in [(200, 60), (20, 6), (120, 40), (40, 12), (1, 1), (300, 80), (5, 30), (90, 3), (80, 24)]:
            await pilot.resize_terminal(width, height)
            app.dashboard.tick()
            await pilot.pause()
        assert "330" in text_of(app)


async def test_foreign_names_are_shown_as_plain_text(run_folder: RunFolder, wait_until: Until) -> None:
    """Markup in names is plain text, long names are cut, and Chinese names work."""
    events = [
        e.RunStarted(at=BEGAN, run="[b]x[/b]" * 25, task="t[/]", device="[red]cpu", epochs=1, steps_per_epoch=5),
        e.Steps(at=BEGAN, first=1, step=3, losses=[1.0, 2.0, 3.0]),
        e.Evaluated(at=BEGAN, step=3, metrics={"loss": 1.0, "准确率[/]": 0.5}),
        e.Warned(at=BEGAN, step=3, message="[bold]odd[/] " + "x" * 5000),
    ]
    app = app_of(run_folder, Recorded(events))
    async with app.run_test():
        await wait_until(lambda: "[b]x[/b]" in text_of(app))
        await wait_until(lambda: "准确率\\[/]" in str(app.dashboard.query_one("#small-1", PlotWidget).border_title))


async def test_help_explains_every_key(run_folder: RunFolder, wait_until: Until) -> None:
    """The help reads the same bindings as the footer, and lists unavailable keys too."""
    app = app_of(run_folder, Recorded([]))
    async with app.run_test() as pilot:
        await pilot.press("question_mark")
        await wait_until(lambda: isinstance(app.screen, Help))
        text = "".join(str(widget.content) for widget in app.screen.query("Static").results())
        for words in ("Pause", "Continue", "Resume", "Save", "Evaluate", "Log axis", "Quit"):
            assert words in text
        await pilot.press("escape")
        await wait_until(lambda: app.screen is app.dashboard)


async def test_the_log_axis_can_be_switched(run_folder: RunFolder, wait_until: Until) -> None:
    """The key `l` switches the axis and switches it back."""
    app = app_of(run_folder, Recorded(run()))
    async with app.run_test(size=(120, 40)) as pilot:
        curve = app.dashboard.query_one("#large", PlotWidget)
        await wait_until(lambda: curve._layout is not None and curve._layout.lines)
        await pilot.press("l")
        await wait_until(lambda: str(curve.border_title).startswith("loss (log"))
        await pilot.press("l")
        await wait_until(lambda: "log" not in str(curve.border_title))


def test_the_recorded_run_has_the_expected_size() -> None:
    """The other tests rely on these numbers."""
    assert isinstance(started(), e.RunStarted)
    assert sum(len(event.losses) for event in run() if isinstance(event, e.Steps)) == 330


async def test_the_name_of_the_monitored_metric_is_not_cut(run_folder: RunFolder, wait_until: Until) -> None:
    """At 80 columns the step of the best value is dropped: the plot marks it."""
    early = e.EarlyStopping(at=NOW, step=330, monitor="accuracy", best=0.97, best_step=123_456, patience=5)
    app = app_of(run_folder, Recorded([*run(), early]))
    async with app.run_test(size=(80, 24)) as pilot:
        shown = ("best accuracy ", "now accuracy ", "0.9700")
        await wait_until(lambda: all(words in text_of(app) for words in shown) and "123,456" not in text_of(app))
        await pilot.resize_terminal(120, 40)
        await wait_until(lambda: "0.9700 at 123,456" in text_of(app))


async def test_the_time_left_names_the_fold(run_folder: RunFolder, wait_until: Until) -> None:
    """With several folds it is the time left in this fold."""
    app = app_of(run_folder, Recorded(folds(540, 300)))
    async with app.run_test(size=(80, 24)):
        await wait_until(lambda: "left in this fold" in text_of(app))


async def test_a_run_without_steps_shows_how_to_start_it(run_folder: RunFolder, wait_until: Until) -> None:
    """The plot shows the key that starts the training."""
    app = app_of(run_folder, Recorded([], alive=False))
    async with app.run_test(size=(80, 24)):
        large = app.dashboard.query_one("#large", PlotWidget)
        await wait_until(lambda: any("Press r to train." in text for row in large._rows for text, _ in row))
        assert "r" in offered(app)


async def test_new_steps_cause_no_layout(
    run_folder: RunFolder, wait_until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A layout takes time from the training, so new steps change only the content of panels and plots."""
    source = Recorded(run(300))
    app = app_of(run_folder, source)
    layouts = 0
    async with app.run_test(size=(140, 42)) as pilot:
        machine = app.dashboard.query_one(SystemPanel)
        await wait_until(
            lambda: machine.size.height > 1 and footed(app.screen) and all(map(settled, app.screen.query(PlotWidget)))
        )
        await pilot.pause()
        real = type(app.dashboard)._refresh_layout

        def counted(*given: object, **named: object) -> None:
            nonlocal layouts
            layouts += 1
            real(*given, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(type(app.dashboard), "_refresh_layout", counted)
        for step in range(301, 306):
            source.more(e.Steps(at=time_of(step), first=step, step=step, epoch=7, losses=[0.5], lr=[0.01]))
            await wait_until(lambda step=step: str(step) in text_of(app))
            await pilot.pause()
    assert layouts == 0


async def test_a_finished_run_draws_nothing(
    run_folder: RunFolder, wait_until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a change no widget is refreshed."""
    now = [NOW + 400 * 86_400]
    source = Recorded([*run(), e.RunFinished(at=NOW, step=330, epoch=8)], alive=False)
    app = StokerApp(run_folder, source=source, clock=lambda: now[0])
    drawn: list[str] = []
    async with app.run_test(size=(140, 42)) as pilot:
        await wait_until(lambda: "completed" in text_of(app) and "r" in offered(app))
        for _ in range(3):
            await pilot.pause()
            await wait_until(lambda: footed(app.screen) and all(map(settled, app.screen.query(PlotWidget))))
        real = Widget.refresh

        def refresh(widget: Widget, *given: Any, **named: Any) -> Widget:
            drawn.append(f"{type(widget).__name__} {widget.id}")
            return real(widget, *given, **named)

        monkeypatch.setattr(Widget, "refresh", refresh)
        for _ in range(3):
            now[0] += 1
            app.dashboard._next_frame = 0.0
            app.dashboard.tick()
            await pilot.pause()
    assert drawn == []


async def test_a_lost_layout_is_requested_again(
    run_folder: RunFolder, wait_until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Textual can lose a layout; the panel must not keep its old height for ever."""
    lost: list[RowWidget] = []
    real = RowWidget.request_layout

    def request_layout(widget: RowWidget) -> None:
        if len(lost) < 3 and isinstance(widget, SystemPanel):
            lost.append(widget)
        else:
            real(widget)

    monkeypatch.setattr(RowWidget, "request_layout", request_layout)
    app = StokerApp(run_folder, source=Recorded(run()), clock=lambda: NOW + time.monotonic())
    async with app.run_test(size=(120, 41)):
        machine = app.dashboard.query_one(SystemPanel)
        await wait_until(lambda: len(machine._rows) > 1 and len(lost) == 3)
        await wait_until(lambda: machine.content_size.height == len(machine._rows))


async def test_panels_settle_in_every_size(
    run_folder: RunFolder, wait_until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A panel that cannot have the height of its rows does not ask for a layout again and again."""
    now, asked = [NOW], []
    app = StokerApp(run_folder, source=Recorded(run()), clock=lambda: now[0])
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(lambda: len(app.dashboard.query_one(SystemPanel)._rows) > 1)
        monkeypatch.setattr(
            RowWidget, "request_layout", lambda widget: asked.append(widget) or widget.refresh(layout=True)
        )
        for size in [(300, 80), (120, 30), (80, 24), (100, 18), (60, 20), (40, 12), (60, 8), (20, 6), (30, 3)]:
            await pilot.resize_terminal(*size)
            for _ in range(4):
                asked.clear()
                now[0] += 1
                app.dashboard._next_frame = 0.0
                app.dashboard.tick()
                await pilot.pause()
                await pilot.pause()
            assert not asked, size


async def test_gpus_that_do_not_fit_are_counted(
    run_folder: RunFolder, wait_until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The title of the machine says how many rows are cut, and no number when all fit."""
    gpu = Gpu("NVIDIA H100", 0.97, 61_000_000_000, 86_000_000_000, 63, 610.0)
    reading = SystemReading(0.34, 98_000_000_000, 512_000_000_000, 3.1, 1_640_000_000, (gpu,) * 8)
    monkeypatch.setattr(SystemStats, "read", lambda self, *_: reading)
    app = app_of(run_folder, Recorded(run()))
    async with app.run_test(size=(120, 40)) as pilot:
        machine = app.dashboard.query_one(SystemPanel)
        await wait_until(lambda: machine.content_size.height > 1)
        hidden = 11 - machine.content_size.height
        assert hidden > 0
        await wait_until(lambda: str(machine.border_title) == f"machine +{hidden}")
        await pilot.resize_terminal(120, 60)
        await wait_until(lambda: machine.content_size.height == 11 and str(machine.border_title) == "machine")


async def test_a_finished_run_never_shows_the_use_of_this_machine(run_folder: RunFolder, wait_until: Until) -> None:
    """Between the last past event and the next tick, the engine counts as alive only if it is."""
    app = app_of(run_folder, Recorded([*run(), e.RunFinished(at=NOW)], alive=False))
    async with app.run_test(size=(120, 40)):
        dashboard = app.dashboard
        await wait_until(lambda: dashboard.view.caught_up)
        dashboard.view.caught_up = False
        dashboard.tick()
        assert dashboard.view.caught_up
        machine = dashboard.query_one(SystemPanel)
        await machine._poll()
        assert machine._reading is None
