"""Curves as text: what is seen, and that nothing makes it raise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.engine.history.series import Dense, Sparse
from stoker.tui.plotting.layout import Plot, picture
from stoker.tui.plotting.render import paint

BLUE, ORANGE, GREY, RED = (80, 160, 255), (255, 160, 60), (128, 128, 128), (255, 60, 60)


def dense(values: list[float], first: int = 1) -> Dense:
    curve = Dense()
    curve.put(first, values)
    return curve


def sparse(points: dict[int, float]) -> Sparse:
    curve = Sparse()
    for step, number in points.items():
        curve.put(step, number)
    return curve


def plotted(*curves: Dense | Sparse, width: int = 60, height: int = 16, log: bool = False) -> list[str]:
    """Return the rows without colours."""
    plot = Plot(width, height, tuple((curve, BLUE) for curve in curves), GREY, RED, log=log)
    return ["".join(text for text, _ in row) for row in paint(picture(plot))]


def dots(row: str) -> list[int]:
    return [column for column, mark in enumerate(row) if "⠀" < mark <= "⣿"]


def test_a_falling_curve_falls_from_the_upper_left() -> None:
    """The axes have round numbers and the curve its shape."""
    rows = plotted(dense([math.exp(-step / 200) for step in range(1000)]))
    assert len(rows) == 16
    assert rows[0].startswith("1.0┤") and dots(rows[0])[0] < 8
    assert dots(rows[13])[-1] > 50
    assert rows[15].split() == ["0", "200", "400", "600", "800", "1k"]


@pytest.mark.parametrize("where", [0.02, 0.61, 0.999])
def test_a_spike_of_one_step_is_seen_in_a_long_run(where: float) -> None:
    """100,000 steps, one of them 25."""
    values = [0.3] * 100_000
    values[int(where * 100_000)] = 25.0
    (column, *more) = dots(plotted(dense(values))[0])
    assert not more
    assert column / 60 == pytest.approx(where, abs=0.06)


def test_what_is_not_finite_is_a_gap_with_a_mark() -> None:
    """NaN from 30 % to 40 %: nothing is drawn there, and the axis says where."""
    values = [1.0 + math.sin(step / 50) for step in range(1000)]
    values[300:400] = [math.nan, math.inf, -math.inf, math.nan] * 25
    rows = plotted(dense(values))
    columns = {column for row in rows for column in dots(row)}
    marks = [column for column, mark in enumerate(rows[13]) if mark == "×"]
    assert not columns & set(range(22, 25))
    assert marks[0] >= 20 and marks[-1] <= 28 and len(marks) >= 4
    assert {10, 50} <= columns


@pytest.mark.parametrize(("beyond", "log"), [(math.nan, False), (math.inf, False), (-1.0, True)])
def test_what_cannot_be_drawn_has_its_mark_where_it_stands_alone(beyond: float, log: bool) -> None:
    """Not at the ends of a window that it lies outside of."""
    curves = ((dense([1.0] * 150), BLUE), (sparse({50: 0.5, 100: 0.5, 148: beyond, 160: 0.5}), ORANGE))
    for window, seen in (((137, 145), False), ((60, 140), False), ((149, 155), False), ((144, 152), True)):
        plot = Plot(60, 16, curves, GREY, RED, log=log, window=window)
        assert bool(picture(plot).marks) == seen


@pytest.mark.parametrize(
    ("curves", "log", "note"),
    [
        ([], False, "no points yet"),
        ([dense([])], False, "no points yet"),
        ([dense([math.nan] * 5)], False, "no finite values"),
        ([sparse({1: 0.0, 10: 0.0})], True, "nothing above 0 for a log axis"),
    ],
)
def test_where_there_is_no_curve_words_say_why(curves: list[Dense], log: bool, note: str) -> None:
    """An empty plot explains itself."""
    assert any(note in row for row in plotted(*curves, log=log))


def test_one_point_and_a_constant_are_seen() -> None:
    """The smallest curves."""
    assert sum(len(dots(row)) for row in plotted(dense([0.5]))) == 1
    (line,) = [row for row in plotted(dense([0.5] * 100)) if dots(row)]
    assert len(dots(line)) > 50


def test_a_log_axis_has_powers_of_ten_and_leaves_zeros_out() -> None:
    """Zeros cannot be drawn there; the rest can."""
    rows = plotted(dense([10.0 ** (-step / 100) if step % 7 else 0.0 for step in range(500)]), log=True)
    labels = [row.partition("┤")[0].strip() for row in rows if "┤" in row]
    assert {"1", "0.1", "0.01"} <= set(labels)


def test_the_last_curve_lies_on_top() -> None:
    """Evaluations are few: the training curve must not hide them."""
    curves = ((dense([0.5] * 100), BLUE), (sparse({1: 0.5, 100: 0.5}), ORANGE))
    assert any(color == ORANGE for row in paint(picture(Plot(60, 16, curves, GREY, RED))) for _, color in row)


def test_the_same_picture_is_not_drawn_twice() -> None:
    """One more step of a million changes no dot, so nothing has to be drawn."""
    curve = dense([0.5 + 0.1 * math.sin(step / 1000) for step in range(999_000)])
    plot = Plot(80, 20, ((curve, BLUE),), GREY, RED)
    before = picture(plot)
    curve.put(999_001, [0.5])
    assert picture(plot) == before


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.floats(width=32), max_size=40),
    st.dictionaries(st.integers(-100, 10**9), st.floats(width=32), max_size=8),
    st.integers(-(10**6), 10**6),
    st.integers(0, 90),
    st.integers(0, 30),
    st.booleans(),
)
def test_nothing_raises(
    values: list[float], points: dict[int, float], first: int, width: int, height: int, log: bool
) -> None:
    """Any numbers on any screen: as many rows as asked at most, each no wider than asked."""
    rows = plotted(dense(values, first), sparse(points), width=width, height=height, log=log)
    if width and height:
        assert len([row for row in rows if row.strip()]) <= height
        assert all(len(row.rstrip()) <= width for row in rows)


def test_a_million_points_take_milliseconds() -> None:
    """Thinned before they are drawn."""
    import time

    curve = dense(np.linspace(2, 0, 1_000_000).tolist())
    took = []
    for _ in range(3):  # other processes may take the cache away
        began = time.thread_time()
        plotted(curve, width=120, height=30)
        took.append(time.thread_time() - began)
    assert min(took) < 0.2
