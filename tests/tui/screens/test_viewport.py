"""The view of a run by keys and by mouse: plots, scales, windows, cursor, folds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.engine.history.series import PointSeries, StepSeries, within
from stoker.engine.history.smoothing import SmoothSteps, running_mean
from stoker.engine.history.step_times import PAIRS, StepTimes
from stoker.engine.runs import events as e
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.plotting.curve_cache import CurveCache
from stoker.tui.state.charts import ALL, charts_of, markers_of, overfitting_step, trend_of, value_at
from stoker.tui.state.run_view import RunView
from stoker.tui.state.viewport import Viewport
from stoker.tui.widgets.plot import PlotWidget
from tests.support.recorded import Recorded, folds, loss, measured, run, settled, started, time_of

Until = Callable[[Callable[[], object]], Awaitable[None]]
NOW = time_of(330) + 0.5
LOOKS = ["next", "previous", "grid", "log", "mean", "axis", "last", "fold", "left", "right", "far_left", "far_right"]
LOOKS += ["nearer", "wider", "all", "1", "2", "9"]


def view_of(events: list[e.Event]) -> RunView:
    view = RunView()
    for event in events:
        view.apply(event)
    return view


@given(
    st.lists(st.floats(width=32, min_value=-1e6, max_value=1e6) | st.just(float("nan")), max_size=60), st.integers(1, 9)
)
def test_a_running_mean_is_the_mean_of_the_last_values(values: list[float], width: int) -> None:
    """The mean skips values that are not finite; a gap stays a gap."""
    means = running_mean(np.array(values, np.float32), width)
    for place, value in enumerate(values):
        last = [one for one in values[max(0, place - width + 1) : place + 1] if np.isfinite(one)]
        assert (
            np.isnan(means[place])
            if np.isnan(value)
            else means[place] == pytest.approx(np.mean(last), rel=1e-5, abs=1e-2)
        )


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 60)), max_size=8), st.integers(2, 20))
def test_a_followed_mean_equals_the_mean_of_the_whole_curve(changes: list[tuple[int, int]], width: int) -> None:
    """The followed mean equals the mean of the whole curve after growth and truncation."""
    raw = StepSeries()
    smooth = SmoothSteps(raw, width)
    for number, back in changes:
        raw.truncate(max(0, raw.last_step - back))
        raw.put(raw.last_step + 1, [float(step % 7) for step in range(number)])
        assert smooth.curve().values == pytest.approx(running_mean(raw.values, width))


@given(st.lists(st.integers(1, 9), max_size=60), st.floats(0, 500))
def test_times_are_inverted(gaps: list[int], place: float) -> None:
    """Steps map to seconds and back."""
    times = StepTimes()
    for number, step in enumerate(np.cumsum(gaps).tolist()):
        times.put(step, number * 0.5)
    if gaps:
        assert times.steps(times.of(np.array([place])))[0] == pytest.approx(min(place, place), abs=1e-2)


def test_times_of_a_long_run_stay_few() -> None:
    """The pairs are downsampled, and both ends are kept."""
    times = StepTimes()
    for step in range(1, 100_001):
        times.put(step, step / 10)
    assert len(times._pairs) <= PAIRS
    assert times.of(np.array([0.0, 50_000.0, 100_000.0])) == pytest.approx([0, 5_000, 10_000], rel=1e-3)


def test_a_line_enters_and_leaves_a_window() -> None:
    """A segment that crosses the edge of the window gets an interpolated point there."""
    curve = PointSeries()
    for step, number in ((0, 0.0), (100, 10.0), (200, 0.0)):
        curve.put(step, number)
    assert within(curve, 50, 150).steps.tolist() == [50, 100, 150]
    assert within(curve, 50, 150).values.tolist() == [5.0, 10.0, 5.0]
    assert within(curve, 110, 120).values.tolist() == [9.0, 8.0]
    assert within(curve, 100, 200).steps.tolist() == [100, 200]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(LOOKS), max_size=25), st.sampled_from([0, 1, 9, 330]), st.booleans())
def test_any_keys_in_any_order_show_a_plot(looks: list[str], last: int, folded: bool) -> None:
    """No key raises, and the window is always inside the run."""
    view = view_of(folds(540, last) if folded else run(last))
    viewport = Viewport()
    for look in looks:
        viewport.change(look, view, 60)
        charts = viewport.charts(view, "")
        assert charts
        viewport.decorations(view, charts[0])
        if (window := viewport.window(view)) is not None:
            assert 0 <= window[0] < window[1]
        assert viewport.cursor is None or 0 <= viewport.cursor <= viewport.last_step(view)


def test_zooming_keeps_the_step_under_the_cursor() -> None:
    """Its share of the width is the same after a zoom."""
    view, viewport = view_of(run(330)), Viewport()
    viewport.zoom(True, 110, view)
    first, end = viewport.window(view) or (0, 0)
    assert (110 - first) / (end - first) == pytest.approx(1 / 3, abs=0.02)
    viewport.zoom(False, 110, view)
    assert viewport.window(view) is None


def test_markers_show_events_at_their_steps() -> None:
    """Markers show saves, learning rates, resumes and the best step; superseded ones are removed."""
    view = view_of([*run(200), started(180), e.CheckpointSaved(step=185, kind="kept")])
    fold = view.current
    assert markers_of(fold) == [(185, "saved"), (180, "rate"), (180, "resumed"), (180, "best")]
    assert overfitting_step(fold) is None
    view.apply(e.Warned(step=190, kind="overfitting"))
    assert overfitting_step(fold) == 180
    view.apply(started(100))
    assert markers_of(fold) == [(100, "resumed"), (90, "best")]


def test_values_are_read_at_the_cursor() -> None:
    """A curve with few points gives its newest value up to the cursor."""
    fold = view_of(run(330)).current
    assert value_at(fold.train, 100) == pytest.approx(loss(100))
    assert value_at(fold.evaluated["test", "loss"], 100) == pytest.approx(measured(90))
    assert value_at(fold.evaluated["test", "loss"], 3) is None and value_at(fold.train, 900) is None


def test_other_folds_are_a_band() -> None:
    """The other folds are a band; the mean of all folds is its middle."""
    view, cache = view_of(folds(540, 540, 100)), CurveCache()
    losses, accuracy = charts_of(view, 2, cache, "")
    rates = charts_of(view, 0, cache, "")[-1]
    assert rates.name == "learning rate", "the plot of a rate that never changed is left out"
    assert [name for name, _ in losses.curves] == ["train", "test"] and losses.curves[0][1] is view.folds[2].train
    assert len(losses.bands) == 2 and len(accuracy.bands) == 1 and not rates.bands and not losses.background
    low, high = losses.bands[0][1:]
    values = [view.folds[fold].train.values[500] for fold in (0, 1)]
    assert (low.values[500] + high.values[500]) / 2 == pytest.approx(np.mean(values), rel=1e-5)
    together = charts_of(view, ALL, cache, "")[0].curves[0][1]
    assert together.values[50] == pytest.approx(np.mean([fold.train.values[50] for fold in view.folds.values()]))
    assert view.folds[2].times.of(np.array([100.0]))[0] < 20


def test_every_metric_is_smoothed() -> None:
    """The raw curve is in the background; only a smoothed plot says so in its title."""
    view, viewport = view_of(run(540)), Viewport()
    viewport.mean = 10
    losses, accuracy, _ = viewport.charts(view, "")
    assert losses.smoothed and losses.background == ((0, view.current.train),) and not accuracy.smoothed
    viewport.mean = 100
    losses, accuracy, rates = viewport.charts(view, "")
    assert [curve for _, curve in losses.background] == [view.current.train, view.current.evaluated["test", "loss"]]
    assert accuracy.background == ((1, view.current.evaluated["test", "accuracy"]),) and not rates.smoothed
    assert (
        viewport.decorations(view, accuracy)[0].caption == "mean of 100"
        and not viewport.decorations(view, rates)[0].caption
    )


def test_a_loss_that_fell_to_a_tenth_has_a_log_axis() -> None:
    """It is chosen without a key, stays while the loss rises a little, and the user's choice wins."""
    view, viewport = view_of(run(330)), Viewport()
    viewport.charts(view, "")
    assert "loss" not in viewport.log_plots
    view.apply(e.Steps(first=331, step=360, losses=[0.01] * 30))
    viewport.charts(view, "")
    assert viewport.log_plots == {"loss"}
    view.apply(e.Steps(first=361, step=370, losses=[0.3] * 10))
    viewport.charts(view, "")
    assert viewport.log_plots == {"loss"}
    viewport.change("log", view, 60)
    assert not viewport.log_plots
    viewport.change("log", view, 60)
    assert viewport.log_plots == {"loss"}


def test_the_running_mean_follows_the_length_of_the_run() -> None:
    """It is a small part of the steps shown, and none for a short run."""
    for last, width in ((100, 0), (330, 20), (540, 20)):
        view, viewport = view_of(run(last)), Viewport()
        losses, accuracy, *_ = viewport.charts(view, "")
        assert viewport.cache.width == width and losses.smoothed == (width > 0)
        assert not accuracy.smoothed, "evaluations are averaged by choice alone"
    viewport.change("last", view, 60)
    viewport.charts(view, "")
    assert viewport.cache.width == 0, "the last 100 steps"


def test_a_trend_is_told_from_noise() -> None:
    """An arrow for a curve that falls or rises, and a dash for one that only scatters."""
    falling, noisy, short = StepSeries(), StepSeries(), StepSeries()
    falling.put(1, [2.0 - step / 500 for step in range(400)])
    noisy.put(1, [0.3 + 0.1 * (step * 7 % 5) for step in range(400)])
    short.put(1, [1.0, 0.5])
    assert (trend_of(falling), trend_of(noisy), trend_of(short)) == (-1, 0, None)


async def test_keys_choose_the_large_plot(run_folder: RunFolder, wait_until: Until) -> None:
    """Keys go to the next plot or to a number, and a click selects a small plot."""
    app = StokerApp(run_folder, source=Recorded(run()), clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        large = app.dashboard.query_one("#large", PlotWidget)
        await wait_until(lambda: large._layout and large._layout.lines)
        for key, title in (("tab", "accuracy"), ("tab", "learning rate"), ("tab", "loss"), ("3", "learning rate")):
            await pilot.press(key)
            await wait_until(lambda title=title: str(large.border_title).startswith(title))
        small = app.dashboard.query_one("#small-2", PlotWidget)
        await wait_until(lambda: "accuracy" in str(small.border_title))
        await pilot.click("#small-2", offset=(20, 5))
        await wait_until(lambda: str(large.border_title).startswith("accuracy"))
        await pilot.press("g")
        await wait_until(lambda: app.dashboard.query_one("#plots").has_class("-grid"))


async def test_the_cursor_reads_values(run_folder: RunFolder, wait_until: Until) -> None:
    """Keys and clicks move the cursor; escape removes it before it leaves the screen."""
    app = StokerApp(run_folder, source=Recorded(run()), clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        large = app.dashboard.query_one("#large", PlotWidget)
        await wait_until(lambda: large._layout and large._layout.lines)
        await pilot.press("left")
        await wait_until(lambda: "at 330" in str(large.border_title) and "train 0." in str(large.border_title))
        await pilot.press("shift+left")
        await wait_until(lambda: app.dashboard.viewport.cursor and app.dashboard.viewport.cursor < 330)
        await pilot.press("up")
        await wait_until(lambda: "165" in str(large.border_title))
        await pilot.press("escape")
        await wait_until(lambda: "best" in str(large.border_title))
        await pilot.click("#large", offset=(40, 8))
        cursor = large.step_at(39)
        await wait_until(lambda: app.dashboard.viewport.cursor in range(cursor - 4, cursor + 5))


async def test_the_axis_can_be_epochs_or_time(run_folder: RunFolder, wait_until: Until) -> None:
    """The key goes from steps to epochs, to time, and back to steps."""
    app = StokerApp(run_folder, source=Recorded(run()), clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        large = app.dashboard.query_one("#large", PlotWidget)

        def labels() -> list[str]:
            return [label for _, label in large._layout.x_ticks] if large._layout else []

        await wait_until(lambda: "300" in labels())
        await pilot.press("x")
        await wait_until(lambda: "6" in labels())
        await pilot.press("x")
        await wait_until(lambda: "3s" in labels())
        await pilot.press("x")
        await wait_until(lambda: "300" in labels())


async def test_folds_are_picked(run_folder: RunFolder, wait_until: Until) -> None:
    """The default is the trained fold, and all folds at the end; the key goes through all choices."""
    source = Recorded(folds(540, 540, 100))
    app = StokerApp(run_folder, source=source, clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        large = app.dashboard.query_one("#large", PlotWidget)
        await wait_until(lambda: "fold 3" in str(large.border_title))
        for words in ("3 folds ± std", "fold 1", "fold 2", "fold 3"):
            await pilot.press("f")
            await wait_until(lambda words=words: words in str(large.border_title))
        assert app.dashboard.viewport.fold is None
        source.more(e.RunFinished(at=NOW, fold=2, step=100))
        await wait_until(lambda: "3 folds ± std" in str(large.border_title))
        await pilot.press("f")
        await wait_until(lambda: "fold 1" in str(large.border_title))
    assert not Viewport().can_change("fold", view_of(run()))


async def test_all_plots_change_in_one_frame(
    run_folder: RunFolder, wait_until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No frame shows the learning rate twice and the loss not at all."""
    app = StokerApp(run_folder, source=Recorded(run()), clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        dashboard = app.dashboard
        await wait_until(lambda: all(map(settled, dashboard.query(PlotWidget))))
        await pilot.pause()
        await wait_until(lambda: not dashboard._dirty_widgets)
        plots = {plot for plot in dashboard.query(PlotWidget) if plot.is_on_screen and plot.content_size.height}
        assert len(plots) == 3
        dashboard.action_look("next")
        # The next frame may be drawn before the plots have handled any message.
        assert plots <= dashboard._dirty_widgets


async def test_a_person_goes_to_a_step_and_copies_its_values(
    run_folder: RunFolder, wait_until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key `:` asks for the step; `y` copies the values there, or else the command that resumes the run."""
    copied: list[str] = []
    monkeypatch.setattr(StokerApp, "copy_to_clipboard", lambda self, text: copied.append(text))
    app = StokerApp(run_folder, source=Recorded(run()), clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        large = app.dashboard.query_one("#large", PlotWidget)
        await wait_until(lambda: large._layout and large._layout.lines)
        await pilot.press("y")
        await wait_until(lambda: copied)
        assert copied.pop() == f"stoker resume digits-recorded --runs {run_folder.path.parent}"
        await pilot.press("colon", "e", "2", "enter")
        await wait_until(lambda: "at 90" in str(large.border_title))
        await pilot.press("y")
        await wait_until(lambda: copied)
        assert copied.pop().startswith("step 90  train loss ")
