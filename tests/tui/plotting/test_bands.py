"""The band of several folds: mean and deviation, and how the band is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.engine.history.bands import FoldBand
from stoker.engine.history.series import PointSeries, StepSeries
from stoker.tui.plotting import braille
from stoker.tui.plotting.curve_cache import CurveCache
from stoker.tui.plotting.layout import lay_out
from stoker.tui.plotting.render import render
from stoker.tui.plotting.spec import PlotSpec

BLUE, GREY, RED, DIM = (80, 160, 255), (128, 128, 128), (255, 60, 60), (40, 60, 90)


def points(values: dict[int, float]) -> PointSeries:
    return PointSeries.of(np.array(list(values), np.int64), np.array(list(values.values()), np.float32))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 30), st.integers(0, 40)), max_size=12))
def test_a_band_is_the_mean_and_the_deviation_of_the_folds(changes: list[tuple[int, int, int]]) -> None:
    """A band that followed growing and truncated folds equals a new band."""
    curves = [StepSeries() for _ in range(3)]
    band = FoldBand(curves)
    for which, number, back in changes:
        curve = curves[which]
        curve.truncate(max(0, curve.last_step - back))
        curve.put(curve.last_step + 1, [float((step * 7 + which) % 5) for step in range(number)])
        mean, low, high = band.edges()
        whole = FoldBand(curves).edges()
        assert [edge.values.tolist() for edge in (mean, low, high)] == [edge.values.tolist() for edge in whole]
        for place, value in enumerate(mean.values):
            there = [c.values[place] for c in curves if place < c.length]
            assert value == pytest.approx(np.mean(there), rel=1e-5)
            deviation = np.std(there, ddof=1) if len(there) > 1 else 0
            assert high.values[place] - value == pytest.approx(deviation, abs=1e-5)
            assert value - low.values[place] == pytest.approx(deviation, abs=1e-5)


def test_folds_evaluated_at_different_steps_are_interpolated() -> None:
    """The band starts where every fold has a value, and a fold ends with its last value."""
    mean, low, high = FoldBand([points({44: 4.0, 88: 2.0, 132: 1.0}), points({45: 2.0, 90: 2.0})]).edges()
    assert isinstance(mean, PointSeries) and mean.steps.tolist() == [45, 88, 90, 132]
    assert mean.values[1] == 2.0 and high.values[1] == low.values[1] == 2.0
    assert mean.values[-1] == low.values[-1] == 1.0


def test_values_that_are_not_finite_are_skipped() -> None:
    """The mean is that of the other folds."""
    curves = [StepSeries(), StepSeries()]
    curves[0].put(1, [1.0, float("nan"), float("nan")])
    curves[1].put(1, [3.0, 3.0, float("inf")])
    mean, low, _ = FoldBand(curves).edges()
    assert mean.values[:2].tolist() == [2.0, 3.0] and low.values[1] == 3.0 and np.isnan(mean.values[2])


def test_a_band_of_empty_curves_is_empty() -> None:
    """Before the first step."""
    assert [edge.length for edge in FoldBand([StepSeries(), StepSeries()]).edges()] == [0, 0, 0]
    assert [edge.length for edge in FoldBand([PointSeries(), PointSeries()]).edges()] == [0, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), min_size=20, max_size=20))
def test_the_dots_of_a_band_lie_between_its_edges(heights: list[tuple[int, int]]) -> None:
    """The edges are dotted; each character inside has one dot."""
    bounds = [sorted(pair) for pair in heights]
    across = np.arange(20)
    low = np.stack([across, np.array([bottom for bottom, _ in bounds])], axis=1)
    high = np.stack([across, np.array([top for _, top in bounds])], axis=1)
    dots = braille.band(low, high, 10, 4)
    assert all(bounds[x][0] <= y <= bounds[x][1] for x, y in dots)
    assert {(x, y) for x, pair in enumerate(bounds) if x % 2 == 0 for y in pair} <= {(x, y) for x, y in dots.tolist()}


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("window", [None, (20, 60), (500, 600)])
def test_a_band_is_drawn_behind_its_mean(log: bool, window: tuple[int, int] | None) -> None:
    """A lower edge below 0 is at the bottom of a log axis, without a mark."""
    mean, low, high = StepSeries(), StepSeries(), StepSeries()
    steps = np.arange(100, dtype=np.float32)
    for curve, values in ((mean, 10 - steps / 20), (low, 4 - steps / 20), (high, 16 - steps / 20)):
        curve.put(1, values)  # type: ignore[arg-type]
    layout = lay_out(
        PlotSpec(
            60, 16, ((mean, BLUE),), GREY, RED, log=log, window=window, bands=((low, high, DIM),), x_range=(0, 100)
        )
    )
    colors = {look for row in render(layout) for text, look in row if any("⠀" < one <= "⣿" for one in text)}
    assert colors == ({BLUE, DIM} if window != (500, 600) else set()) and not layout.gaps


def test_points_are_smoothed_over_the_same_steps_as_curves() -> None:
    """Points within the width share a mean; without such points the raw curve is returned."""
    cache = CurveCache()
    curve = points({100: 1.0, 200: 3.0, 300: float("nan"), 400: 5.0, 1000: 7.0})
    assert cache.mean(curve) is curve
    cache.width = 100
    assert cache.mean(curve) is curve
    cache.width = 250
    smooth = cache.mean(curve)
    assert smooth.values == pytest.approx([1.0, 2.0, np.nan, 4.0, 7.0], nan_ok=True)
    assert cache.mean(curve) is smooth
    curve.put(1100, 9.0)
    assert cache.mean(curve).values[-1] == 8.0
