"""Curves as text: their shape, their marks, and odd input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.engine.history.series import PointSeries, StepSeries
from stoker.tui.plotting.layout import lay_out
from stoker.tui.plotting.render import render
from stoker.tui.plotting.spec import PlotSpec

BLUE, ORANGE, GREY, RED = (80, 160, 255), (255, 160, 60), (128, 128, 128), (255, 60, 60)


def dense(values: list[float], first: int = 1) -> StepSeries:
    curve = StepSeries()
    curve.put(first, values)
    return curve


def sparse(points: dict[int, float]) -> PointSeries:
    curve = PointSeries()
    for step, number in points.items():
        curve.put(step, number)
    return curve


def plotted(*curves: StepSeries | PointSeries, width: int = 60, height: int = 16, log: bool = False) -> list[str]:
    """Return the rows without colours."""
    plot = PlotSpec(width, height, tuple((curve, BLUE) for curve in curves), GREY, RED, log=log)
    return ["".join(text for text, _ in row) for row in render(lay_out(plot))]


def dots(row: str) -> list[int]:
    return [column for column, mark in enumerate(row) if "⠀" < mark <= "⣿"]


def test_a_falling_curve_falls_from_the_upper_left() -> None:
    """The axes have round numbers and the curve its shape."""
    rows = plotted(dense([math.exp(-step / 200) for step in range(1000)]))
    assert len(rows) == 16
    assert rows[0].startswith("1.0┤") and dots(rows[0])[0] < 8
    # The last row is free, so that the ticks stand at equal distances.
    assert dots(rows[12])[-1] > 50
    assert rows[15].split() == ["0", "200", "400", "600", "800", "1k"]


@pytest.mark.parametrize("where", [0.02, 0.61, 0.999])
def test_a_spike_of_one_step_stays_visible_in_a_long_run(where: float) -> None:
    """100,000 steps of 0.3, and one of 25."""
    values = [0.3] * 100_000
    values[int(where * 100_000)] = 25.0
    (column, *more) = dots(plotted(dense(values))[0])
    assert not more
    assert column / 60 == pytest.approx(where, abs=0.06)


def test_values_that_are_not_finite_leave_a_marked_gap() -> None:
    """NaN from 30 % to 40 %: nothing is drawn there, and the axis has marks."""
    values = [1.0 + math.sin(step / 50) for step in range(1000)]
    values[300:400] = [math.nan, math.inf, -math.inf, math.nan] * 25
    rows = plotted(dense(values))
    columns = {column for row in rows for column in dots(row)}
    marks = [column for column, mark in enumerate(rows[13]) if mark == "×"]
    assert not columns & set(range(22, 25))
    assert marks[0] >= 20 and marks[-1] <= 28 and len(marks) >= 4
    assert {10, 50} <= columns


@pytest.mark.parametrize(("beyond", "log"), [(math.nan, False), (math.inf, False), (-1.0, True)])
def test_a_value_that_cannot_be_drawn_is_marked_only_inside_the_window(beyond: float, log: bool) -> None:
    """A window that does not contain the value has no mark at its ends."""
    curves = ((dense([1.0] * 150), BLUE), (sparse({50: 0.5, 100: 0.5, 148: beyond, 160: 0.5}), ORANGE))
    for window, seen in (((137, 145), False), ((60, 140), False), ((149, 155), False), ((144, 152), True)):
        plot = PlotSpec(60, 16, curves, GREY, RED, log=log, window=window)
        assert bool(lay_out(plot).gaps) == seen


@pytest.mark.parametrize(
    ("curves", "log", "note"),
    [
        ([], False, "No points yet."),
        ([dense([])], False, "No points yet."),
        ([dense([math.nan] * 5)], False, "No finite values."),
        ([sparse({1: 0.0, 10: 0.0})], True, "Log axis needs values above 0."),
    ],
)
def test_an_empty_plot_has_a_note(curves: list[StepSeries], log: bool, note: str) -> None:
    """The note says why there is no curve."""
    assert any(note in row for row in plotted(*curves, log=log))


def test_one_point_and_a_constant_are_drawn() -> None:
    """The smallest curves."""
    assert sum(len(dots(row)) for row in plotted(dense([0.5]))) == 1
    (line,) = [row for row in plotted(dense([0.5] * 100)) if dots(row)]
    assert len(dots(line)) > 50


def test_a_log_axis_has_powers_of_ten_and_skips_zeros() -> None:
    """A zero is a gap; the other values are drawn."""
    rows = plotted(dense([10.0 ** (-step / 100) if step % 7 else 0.0 for step in range(500)]), log=True)
    labels = [row.partition("┤")[0].strip() for row in rows if "┤" in row]
    assert {"1", "0.1", "0.01"} <= set(labels)


def test_the_last_curve_lies_on_top() -> None:
    """Evaluations are few: the training curve must not hide them."""
    curves = ((dense([0.5] * 100), BLUE), (sparse({1: 0.5, 100: 0.5}), ORANGE))
    assert any(color == ORANGE for row in render(lay_out(PlotSpec(60, 16, curves, GREY, RED))) for _, color in row)


def test_an_unchanged_layout_compares_equal() -> None:
    """One more step after a million changes no dot."""
    curve = dense([0.5 + 0.1 * math.sin(step / 1000) for step in range(999_000)])
    plot = PlotSpec(80, 20, ((curve, BLUE),), GREY, RED)
    before = lay_out(plot)
    curve.put(999_001, [0.5])
    assert lay_out(plot) == before


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.floats(width=32), max_size=40),
    st.dictionaries(st.integers(-100, 10**9), st.floats(width=32), max_size=8),
    st.integers(-(10**6), 10**6),
    st.integers(0, 90),
    st.integers(0, 30),
    st.booleans(),
)
def test_odd_values_and_sizes_never_raise(
    values: list[float], points: dict[int, float], first: int, width: int, height: int, log: bool
) -> None:
    """Any numbers on any screen: at most `height` rows, each at most `width` wide."""
    rows = plotted(dense(values, first), sparse(points), width=width, height=height, log=log)
    if width and height:
        assert len([row for row in rows if row.strip()]) <= height
        assert all(len(row.rstrip()) <= width for row in rows)


def test_a_million_points_take_milliseconds() -> None:
    """The curve is downsampled before it is drawn."""
    import time

    curve = dense(np.linspace(2, 0, 1_000_000).tolist())
    took = []
    for _ in range(3):  # another process may have cleared the CPU cache
        began = time.thread_time()
        plotted(curve, width=120, height=30)
        took.append(time.thread_time() - began)
    assert min(took) < 0.2
