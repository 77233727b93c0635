"""What is looked at: plots, scales, windows, the cursor, folds; by keys and by mouse."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.engine.history.series import Dense, Sparse, within
from stoker.engine.history.smoothing import Smooth, running_mean
from stoker.engine.history.step_times import PAIRS, Times
from stoker.engine.runs import events as e
from stoker.engine.runs.folder import RunFolder
from stoker.tui.app.app import StokerApp
from stoker.tui.plotting.curve_cache import Derived
from stoker.tui.state.charts import ALL, charts_of, overfitted, read, signs
from stoker.tui.state.run_view import RunView
from stoker.tui.state.viewport import Viewing
from stoker.tui.widgets.plot import Curve
from tests.support.recorded import Recorded, folds, loss, measured, run, started, time_of

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
def test_a_running_mean_is_the_mean_of_what_came_before(values: list[float], width: int) -> None:
    """Of the finite ones; a gap stays a gap."""
    means = running_mean(np.array(values, np.float32), width)
    for place, value in enumerate(values):
        last = [one for one in values[max(0, place - width + 1) : place + 1] if np.isfinite(one)]
        assert (
            np.isnan(means[place])
            if np.isnan(value)
            else means[place] == pytest.approx(np.mean(last), rel=1e-5, abs=1e-2)
        )


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 60)), max_size=8), st.integers(2, 20))
def test_the_mean_kept_beside_a_curve_is_that_of_the_whole(changes: list[tuple[int, int]], width: int) -> None:
    """However the curve grew, and was cut by resumes."""
    raw = Dense()
    smooth = Smooth(raw, width)
    for number, back in changes:
        raw.cut(max(0, raw.last_step - back))
        raw.put(raw.last_step + 1, [float(step % 7) for step in range(number)])
        assert smooth.curve().values == pytest.approx(running_mean(raw.values, width))


@given(st.lists(st.integers(1, 9), max_size=60), st.floats(0, 500))
def test_times_are_undone(gaps: list[int], place: float) -> None:
    """From steps to seconds and back."""
    times = Times()
    for number, step in enumerate(np.cumsum(gaps).tolist()):
        times.put(step, number * 0.5)
    if gaps:
        assert times.steps(times.of(np.array([place])))[0] == pytest.approx(min(place, place), abs=1e-2)


def test_times_of_a_long_run_stay_few() -> None:
    """Thinned, with both ends kept."""
    times = Times()
    for step in range(1, 100_001):
        times.put(step, step / 10)
    assert len(times._pairs) <= PAIRS
    assert times.of(np.array([0.0, 50_000.0, 100_000.0])) == pytest.approx([0, 5_000, 10_000], rel=1e-3)


def test_a_line_enters_and_leaves_a_window() -> None:
    """Where the neighbours of what is inside lie outside."""
    curve = Sparse()
    for step, number in ((0, 0.0), (100, 10.0), (200, 0.0)):
        curve.put(step, number)
    assert within(curve, 50, 150).steps.tolist() == [50, 100, 150]
    assert within(curve, 50, 150).values.tolist() == [5.0, 10.0, 5.0]
    assert within(curve, 110, 120).values.tolist() == [9.0, 8.0]
    assert within(curve, 100, 200).steps.tolist() == [100, 200]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(LOOKS), max_size=25), st.sampled_from([0, 1, 9, 330]), st.booleans())
def test_any_keys_in_any_order_show_something(looks: list[str], last: int, folded: bool) -> None:
    """Nothing raises, and a window always lies in the run."""
    view = view_of(folds(540, last) if folded else run(last))
    viewing = Viewing()
    for look in looks:
        viewing.look(look, view, 60)
        charts = viewing.charts(view, "")
        assert charts
        viewing.frames(view, charts[0])
        if (window := viewing.window(view)) is not None:
            assert 0 <= window[0] < window[1]
        assert viewing.cursor is None or 0 <= viewing.cursor <= viewing.last(view)


def test_zooming_keeps_the_step_under_the_cursor() -> None:
    """Where it was, as a share of the width."""
    view, viewing = view_of(run(330)), Viewing()
    viewing.zoom(True, 110, view)
    first, end = viewing.window(view) or (0, 0)
    assert (110 - first) / (end - first) == pytest.approx(1 / 3, abs=0.02)
    viewing.zoom(False, 110, view)
    assert viewing.window(view) is None


def test_signs_say_what_happened_where() -> None:
    """Saves, learning rates, resumes and the best; what a resume superseded is gone."""
    view = view_of([*run(200), started(180), e.CheckpointSaved(step=185, kind="kept")])
    fold = view.now
    assert signs(fold) == [(185, "saved"), (180, "rate"), (180, "resumed"), (180, "best")]
    assert overfitted(fold) is None
    view.apply(e.Warned(step=190, kind="overfitting"))
    assert overfitted(fold) == 180
    view.apply(started(100))
    assert signs(fold) == [(100, "resumed"), (90, "best")]


def test_values_are_read_where_the_cursor_stands() -> None:
    """Of few points the last one counts."""
    fold = view_of(run(330)).now
    assert read(fold.train, 100) == pytest.approx(loss(100))
    assert read(fold.evaluated["test", "loss"], 100) == pytest.approx(measured(90))
    assert read(fold.evaluated["test", "loss"], 3) is None and read(fold.train, 900) is None


def test_other_folds_lie_behind() -> None:
    """As a band; all together are its middle."""
    view, derived = view_of(folds(540, 540, 100)), Derived()
    losses, accuracy, rates = charts_of(view, 2, derived, "")
    assert [name for name, _ in losses.curves] == ["train", "test"] and losses.curves[0][1] is view.folds[2].train
    assert len(losses.bands) == 2 and len(accuracy.bands) == 1 and not rates.bands and not losses.behind
    low, high = losses.bands[0][1:]
    values = [view.folds[fold].train.values[500] for fold in (0, 1)]
    assert (low.values[500] + high.values[500]) / 2 == pytest.approx(np.mean(values), rel=1e-5)
    together = charts_of(view, ALL, derived, "")[0].curves[0][1]
    assert together.values[50] == pytest.approx(np.mean([fold.train.values[50] for fold in view.folds.values()]))
    assert view.folds[2].times.of(np.array([100.0]))[0] < 20


def test_every_metric_is_smoothed() -> None:
    """The raw curve stays dim behind it; the title says so only where it is so."""
    view, viewing = view_of(run(540)), Viewing()
    viewing.derived.width = 10
    losses, accuracy, _ = viewing.charts(view, "")
    assert losses.smoothed and losses.behind == ((0, view.now.train),) and not accuracy.smoothed
    viewing.derived.width = 100
    losses, accuracy, rates = viewing.charts(view, "")
    assert [curve for _, curve in losses.behind] == [view.now.train, view.now.evaluated["test", "loss"]]
    assert accuracy.behind == ((1, view.now.evaluated["test", "accuracy"]),) and not rates.smoothed
    assert viewing.frames(view, accuracy)[0].words == "mean of 100" and not viewing.frames(view, rates)[0].words


async def test_keys_choose_the_large_plot(folder: RunFolder, until: Until) -> None:
    """One after the other, by number, and a click on a small one."""
    app = StokerApp(folder, source=Recorded(run()), clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        large = app.dashboard.query_one("#large", Curve)
        await until(lambda: large._picture and large._picture.lines)
        for key, title in (("tab", "accuracy"), ("tab", "learning rate"), ("tab", "loss"), ("3", "learning rate")):
            await pilot.press(key)
            await until(lambda title=title: str(large.border_title).startswith(title))
        small = app.dashboard.query_one("#small-2", Curve)
        await until(lambda: "accuracy" in str(small.border_title))
        await pilot.click("#small-2", offset=(20, 5))
        await until(lambda: str(large.border_title).startswith("accuracy"))
        await pilot.press("g")
        await until(lambda: app.dashboard.query_one("#plots").has_class("-grid"))


async def test_the_cursor_reads_values(folder: RunFolder, until: Until) -> None:
    """By keys and by a click; escape takes it away, and only then goes back."""
    app = StokerApp(folder, source=Recorded(run()), clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        large = app.dashboard.query_one("#large", Curve)
        await until(lambda: large._picture and large._picture.lines)
        await pilot.press("left")
        await until(lambda: "at 330" in str(large.border_title) and "train 0." in str(large.border_title))
        await pilot.press("shift+left")
        await until(lambda: app.dashboard.viewing.cursor and app.dashboard.viewing.cursor < 330)
        await pilot.press("up")
        await until(lambda: "165" in str(large.border_title))
        await pilot.press("escape")
        await until(lambda: "best" in str(large.border_title))
        await pilot.click("#large", offset=(40, 8))
        cursor = large.step_at(39)
        await until(lambda: app.dashboard.viewing.cursor in range(cursor - 4, cursor + 5))


async def test_the_axis_can_be_epochs_or_time(folder: RunFolder, until: Until) -> None:
    """Steps again after that."""
    app = StokerApp(folder, source=Recorded(run()), clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        large = app.dashboard.query_one("#large", Curve)

        def labels() -> list[str]:
            return [label for _, label in large._picture.x_ticks] if large._picture else []

        await until(lambda: "300" in labels())
        await pilot.press("x")
        await until(lambda: "6" in labels())
        await pilot.press("x")
        await until(lambda: "3s" in labels())
        await pilot.press("x")
        await until(lambda: "300" in labels())


async def test_folds_are_picked(folder: RunFolder, until: Until) -> None:
    """The one that is trained, then all of them, then each; in the end all. Not offered where there is one."""
    source = Recorded(folds(540, 540, 100))
    app = StokerApp(folder, source=source, clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        large = app.dashboard.query_one("#large", Curve)
        await until(lambda: "fold 3" in str(large.border_title))
        for words in ("3 folds ± std", "fold 1", "fold 2", "fold 3"):
            await pilot.press("f")
            await until(lambda words=words: words in str(large.border_title))
        assert app.dashboard.viewing.fold is None
        source.more(e.RunFinished(at=NOW, fold=2, step=100))
        await until(lambda: "3 folds ± std" in str(large.border_title))
        await pilot.press("f")
        await until(lambda: "fold 1" in str(large.border_title))
    assert not Viewing().can("fold", view_of(run()))
