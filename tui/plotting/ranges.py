"""The ranges of the two axes, and the points of a curve that are visible in them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stoker.engine.history.series import PointSeries, Series, StepSeries, within

from . import ticks
from .downsample import Downsampled, downsample
from .spec import PlotSpec

MIN_EXPONENT = -300.0  # exponent on a log axis of the values that are not above 0
Edge = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]
"""Steps (n,), heights (n,) and gaps (n,) of one edge of a band."""


def x_range(curves: list[Series], spec: PlotSpec) -> tuple[float, float]:
    """Return the range of the x axis, in its unit."""
    if spec.window is not None:
        low, high = spec.x_axis.of(np.array(spec.window, np.float64)).tolist()
        return low, max(high, low + 1e-9)
    first = min(spec.x_range[0], *(_first(curve) for curve in curves if curve.length))
    last = max(spec.x_range[1], *(_last(curve) for curve in curves if curve.length))
    low, high = spec.x_axis.of(np.array([first, last], np.float64)).tolist()
    least = 1.0 if spec.x_axis.unit == "step" else 1e-9
    # Round up to whole pieces, so that the curve grows while the axis stays still.
    piece = max(least, ticks.nice_step(high - low, 16))
    return low, max(math.ceil(high / piece - 1e-9) * piece, low + least)


def y_range(numbers: NDArray[np.float64], rows: int) -> tuple[float, float]:
    """Return the range of the y axis for `numbers` (n,), rounded to pieces of a row."""
    low, high = float(numbers.min()), float(numbers.max())
    if high - low <= max(abs(low), abs(high)) * 1e-9 + 1e-300:
        pad = max(abs(low) * 0.1, 1e-12) if low else 1.0
        return low - pad, high + pad
    piece = ticks.nice_step(high - low, max(4, rows * 2))
    return math.floor(low / piece + 1e-9) * piece, math.ceil(high / piece - 1e-9) * piece


def visible(curve: Series, spec: PlotSpec, low: float, high: float) -> Downsampled:
    """Return at most two points of the curve for each column between the positions `low` and `high`."""
    edges = spec.x_axis.steps(np.linspace(low, high, max(2, spec.width) + 1))
    if isinstance(curve, StepSeries):
        places = np.clip(np.ceil(edges - curve.base), 0, curve.length).astype(np.int64)
    else:
        places = np.searchsorted(curve.steps, edges).astype(np.int64)
    if spec.window is None:
        places[-1] = curve.length
    elif isinstance(curve, StepSeries):
        # Rounding may move the outer edges off the ends of the window.
        places[0], places[-1] = np.clip(np.array(spec.window) - curve.base + (0, 1), 0, curve.length)
        places = np.clip(places, places[0], places[-1])
    else:
        places[0], places[-1] = 0, curve.length
    return downsample(curve.values, places, positive=spec.log)


def band_edge(curve: Series, spec: PlotSpec, low: float, high: float) -> Edge:
    """Return the visible part of a band's edge; on a log axis values not above 0 lie at `MIN_EXPONENT`."""
    if isinstance(curve, PointSeries) and spec.window is not None and curve.length:
        curve = within(curve, *spec.window)
    if not curve.length:
        return np.empty(0), np.empty(0), np.empty(0, np.bool_)
    kept = visible(curve, replace(spec, log=False), low, high)
    numbers = curve.values[kept.index].astype(np.float64)
    return (
        steps_at(curve, kept.index),
        np.log10(np.maximum(numbers, 10**MIN_EXPONENT)) if spec.log else numbers,
        kept.gap,
    )


def heights(curve: Series, kept: Downsampled, spec: PlotSpec) -> NDArray[np.float64]:
    """Return the heights (n,) of the kept points: values, or exponents on a log axis."""
    numbers = curve.values[kept.index].astype(np.float64)
    return np.log10(numbers) if spec.log else numbers


def steps_at(curve: Series, index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the steps (n,) of the points at `index` (n,)."""
    steps = index + curve.base if isinstance(curve, StepSeries) else curve.steps[index]
    return steps.astype(np.float64)


def _first(curve: Series) -> int:
    return curve.base if isinstance(curve, StepSeries) else int(curve.steps[0])


def _last(curve: Series) -> int:
    return curve.base + curve.length - 1 if isinstance(curve, StepSeries) else int(curve.steps[-1])
