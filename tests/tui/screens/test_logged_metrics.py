"""A run that only logs numbers, on the dashboard: no epochs, no end, no learning rate, metrics of any names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.widgets import Input

from stoker.engine.runs import events as e
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.widgets.panel import Panel
from stoker.tui.widgets.plot import PlotWidget
from tests.support.recorded import BEGAN, Recorded

Until = Callable[[Callable[[], object]], Awaitable[None]]


def app_of(folder: RunFolder, *events: e.Event) -> StokerApp:
    """Return the app of a run that was started and has these events."""
    started = e.RunStarted(at=BEGAN, run="logged", task="train.py")
    return StokerApp(folder, source=Recorded([started, *events]), clock=lambda: BEGAN + 10)


def titles(app: StokerApp) -> list[str]:
    """Return the titles of the plots on the screen."""
    return [str(plot.title) for plot in app.dashboard.query(PlotWidget) if not plot.has_class("-unused")]


async def test_metrics_of_any_names_are_plots_in_groups(run_folder: RunFolder, wait_until: Until) -> None:
    """Those with the same part before the slash stand together; there is no empty plot of a loss or a rate."""
    logged = [
        e.Logged(at=BEGAN + n, step=n, values={"b/x": n, "reward": n, "a/x": n, "b/y": 2 * n}) for n in range(1, 9)
    ]
    app = app_of(run_folder, *logged)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(lambda: app.dashboard.view.caught_up and "reward" in titles(app))
        await pilot.press("g")
        await wait_until(lambda: titles(app) == ["b/x", "b/y", "reward", "a/x"])
        panels = {panel.id for panel in app.dashboard.query(Panel) if panel.display and panel.content_size.height}
        assert not {"early", "checkpoints", "rate"} & panels and "progress" in panels


async def test_a_logged_loss_is_the_training_loss(run_folder: RunFolder, wait_until: Until) -> None:
    """The curve stands in the plot of the loss, with its value."""
    app = app_of(run_folder, *(e.Logged(at=BEGAN + n, step=10 * n, values={"loss": 1 / n}) for n in range(1, 9)))
    async with app.run_test(size=(120, 40)):
        await wait_until(lambda: app.dashboard.view.caught_up and titles(app) == ["loss"])
        (chart,) = app.dashboard.viewport.charts(app.dashboard.view, "")
        assert [(label, curve.last) for label, curve in chart.curves] == [("train", 0.125)]


async def test_the_loss_of_a_loop_with_scalars_is_still_shown(run_folder: RunFolder, wait_until: Until) -> None:
    """Scalars beside the loss are of the training data too, and must not take the place of its curve."""
    started = e.RunStarted(at=BEGAN, run="own", task="train.py", epochs=1, steps_per_epoch=9)
    steps = e.Steps(at=BEGAN + 1, first=1, step=3, losses=[3, 2, 1], lr=[0.1], scalars={"kl": [1, None, 2]})
    app = StokerApp(run_folder, source=Recorded([started, steps]), clock=lambda: BEGAN + 10)
    async with app.run_test(size=(120, 40)):
        await wait_until(lambda: app.dashboard.view.caught_up and "kl" in titles(app))
        loss, *_ = app.dashboard.viewport.charts(app.dashboard.view, "")
        assert [(label, curve.length) for label, curve in loss.curves] == [("train", 3)]


async def test_an_alert_of_the_script_is_in_the_log(run_folder: RunFolder, wait_until: Until) -> None:
    """And so is a text."""
    app = app_of(
        run_folder, e.Logged(step=3, title="sample", text="once upon"), e.Warned(kind="alert", message="Look: here")
    )
    async with app.run_test(size=(120, 40)):
        await wait_until(lambda: app.dashboard.view.caught_up)
        texts = [text for _, _, text in app.dashboard.view.lines]
        assert "sample at step 3: once upon" in texts and "Look: here" in texts


async def test_plots_are_found_by_words_in_their_names(run_folder: RunFolder, wait_until: Until) -> None:
    """The slash asks for them; words that no plot has are told, and all are shown; empty shows all again."""
    everything = ["gen/loss", "dis/loss", "dis/acc"]
    logged = [e.Logged(at=BEGAN + n, step=n, values=dict.fromkeys(everything, float(n))) for n in (1, 2)]
    app = app_of(run_folder, *logged)

    async def find(words: str, expected: list[str]) -> None:
        await pilot.press("slash")
        await wait_until(lambda: app.screen is not app.dashboard)
        app.screen.query_one(Input).value = words
        await pilot.press("enter")
        await wait_until(lambda: app.screen is app.dashboard and app.dashboard.viewport.words == words)
        await wait_until(lambda: titles(app) == expected)

    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(lambda: app.dashboard.view.caught_up and len(titles(app)) == 3)
        await find("DIS loss", ["dis/loss"])
        assert not app._notifications
        await find("zz", everything)
        assert [str(note.message) for note in app._notifications] == ["No plot has 'zz' in its name: all are shown."]
        await find("", everything)
        assert len(app._notifications) == 1
