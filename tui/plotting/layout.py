"""Curves to a picture: laid out on a grid of braille dots, thinned to what the screen can show.

A picture compares equal to another that looks the same: so nobody draws the same thing twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stoker.engine.history.series import Dense, Sparse, within

from . import braille as raster
from . import ticks
from .braille import DOTS_X, DOTS_Y
from .downsample import Thinned, thin
from .x_axis import STEPS, Axis

Color = tuple[int, int, int]
Edge = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]
LOWEST = -300.0  # exponent of what is not above 0
LEAST_WIDTH, LEAST_HEIGHT = 6, 2  # columns and rows of the canvas; below there is nothing to see


@dataclass(frozen=True)
class Plot:
    """What to draw: curves with their colours, on `width` × `height` characters."""

    width: int
    height: int
    curves: tuple[tuple[Dense | Sparse, Color], ...]
    axis: Color
    bad: Color  # of the marks where a value was not finite
    span: tuple[int, int] = (0, 0)  # steps that the axis shows in any case: plots below each other then agree
    log: bool = False
    empty: str = "no points yet"
    scale: Axis = STEPS
    window: tuple[int, int] | None = None  # steps from and to, where not the whole run is shown
    signs: tuple[tuple[int, str, Color], ...] = ()  # marks on the axis: at which step, what, and its colour
    dashed: bool = False  # whether the curves differ by their dashes, where there are no colours
    behind: int = 0  # how many of the curves lie behind the others, and are hidden by them
    bands: tuple[tuple[Dense | Sparse, Dense | Sparse, Color], ...] = ()  # behind them all: from lower to upper edge
    rules: tuple[tuple[int, Color], ...] = ()  # upright lines behind the curves, at these steps


@dataclass(frozen=True)
class Picture:
    """The same on a grid of dots; `note` stands in for curves where there are none."""

    width: int
    height: int
    axis: Color = (128, 128, 128)
    bad: Color = (255, 0, 0)
    lines: tuple[tuple[Color, tuple[int, ...], tuple[int, ...]], ...] = ()
    marks: tuple[int, ...] = ()
    x_ticks: tuple[tuple[int, str], ...] = ()  # characters, not dots
    y_ticks: tuple[tuple[int, str], ...] = ()
    signs: tuple[tuple[int, str, Color], ...] = ()  # characters, not dots
    margin: int = 0
    note: str = ""
    reach: tuple[float, float] = (0.0, 1.0)  # what the axis shows, in its own unit


def picture(plot: Plot) -> Picture:
    """Lay the curves out; never raises, whatever the curves hold."""
    plot = replace(
        plot,
        curves=tuple((curve, color) for curve, color in plot.curves if curve.length),
        bands=tuple(band for band in plot.bands if band[0].length and band[1].length),
        behind=sum(curve.length > 0 for curve, _ in plot.curves[: plot.behind]),
    )
    curves = list(plot.curves)
    if not curves:
        return Picture(plot.width, plot.height, plot.axis, note=plot.empty)
    if (window := plot.window) is not None:
        curves = [
            (within(curve, *window, positive=plot.log) if isinstance(curve, Sparse) else curve, color)
            for curve, color in curves
        ]
    x_low, x_high = _x_range([*(curve for curve, _ in curves), *(low for low, *_ in plot.bands)], plot)
    rows = plot.height - 2
    # The labels' width is known only after thinning; the columns are thinned for the widest canvas.
    thinned = [(curve, color, _thin(curve, plot, x_low, x_high)) for curve, color in curves]
    heights = [_heights(curve, kept, plot) for curve, _, kept in thinned]
    edges = [[_edge(curve, plot, x_low, x_high) for curve in (low, high)] for low, high, _ in plot.bands]
    if not any(len(column) for column in heights):
        wrong = any(len(kept.bad) for _, _, kept in thinned)
        note = "no finite values" if wrong else "no points here"
        note = "nothing above 0 for a log axis" if plot.log and wrong else note
        return Picture(plot.width, plot.height, plot.axis, note=note)
    # On a log axis an edge may fall below all bounds.
    bounds = [
        numbers[numbers > LOWEST] if plot.log else numbers for pair in edges for _, numbers, _ in pair[plot.log :]
    ]
    y_low, y_high = _y_range(np.concatenate([*heights, *bounds]), rows)
    y_marks = (ticks.logarithmic if plot.log else ticks.linear)(y_low, y_high, max(2, round(rows / 2.5)))
    margin = max((len(label) for _, label in y_marks), default=0)
    columns = plot.width - margin - 1
    if columns < LEAST_WIDTH or rows < LEAST_HEIGHT:
        return Picture(plot.width, plot.height, plot.axis)
    across, up = columns * DOTS_X - 1, rows * DOTS_Y - 1

    def column(steps: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.rint((plot.scale.of(steps) - x_low) / (x_high - x_low) * across).astype(np.int64)

    def row(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.rint((numbers - y_low) / (y_high - y_low) * up).astype(np.int64)

    dots = [
        raster.line(np.stack([column(_steps(curve, kept.index)), row(numbers)], axis=1), kept.gap)
        for (curve, _, kept), numbers in zip(thinned, heights, strict=True)
    ]
    bands = []
    for pair in edges:
        low, high = (
            raster.line(np.stack([column(steps), row(np.clip(numbers, y_low, y_high))], axis=1), gap)
            for steps, numbers, gap in pair
        )
        bands.append(raster.band(low, high, columns, rows))
    rules = [
        (np.stack([np.full(rows, at), np.arange(rows) * DOTS_Y], axis=1), color)
        for step, color in plot.rules
        if 0 <= (at := int(column(np.array(float(step))))) <= across
    ]
    signs = {
        at // DOTS_X: (sign, color)
        for step, sign, color in plot.signs
        if 0 <= (at := int(column(np.array(float(step))))) <= across
    }
    marks = {mark for curve, _, kept in thinned for mark in column(_steps(curve, kept.bad)).tolist()}
    x_marks = plot.scale.ticks(x_low, x_high, max(2, columns // 10))
    front = dots[plot.behind :]
    if plot.dashed:
        front = [raster.dashed(mine, number) for number, mine in enumerate(front)]
    front = raster.share(front, columns, rows)
    back = raster.behind([*(dots for dots, _ in rules), *bands, *dots[: plot.behind]], front, columns, rows)
    colors = [*(color for _, color in rules), *(color for *_, color in plot.bands), *(color for _, color in curves)]
    return Picture(
        plot.width,
        plot.height,
        plot.axis,
        plot.bad,
        tuple(
            (color, tuple(mine[:, 0].tolist()), tuple(mine[:, 1].tolist()))
            for color, mine in zip(colors, raster.share([*back, *front], columns, rows), strict=True)
            if len(mine)
        ),
        tuple(sorted(marks)),
        tuple((round((x - x_low) / (x_high - x_low) * across) // DOTS_X, label) for x, label in x_marks),
        tuple((int(row(np.array(y))) // DOTS_Y, label) for y, label in y_marks),
        tuple((at, sign, color) for at, (sign, color) in sorted(signs.items())),
        margin,
        reach=(x_low, x_high),
    )


def _x_range(curves: list[Dense | Sparse], plot: Plot) -> tuple[float, float]:
    if plot.window is not None:
        low, high = plot.scale.of(np.array(plot.window, np.float64)).tolist()
        return low, max(high, low + 1e-9)
    first = min(plot.span[0], *(_first(curve) for curve in curves if curve.length))
    last = max(plot.span[1], *(_last(curve) for curve in curves if curve.length))
    low, high = plot.scale.of(np.array([first, last], np.float64)).tolist()
    least = 1.0 if plot.scale.kind == "step" else 1e-9
    # In whole pieces, so that the curve grows inside a frame that stands still.
    piece = max(least, ticks.nice_step(high - low, 16))
    return low, max(math.ceil(high / piece - 1e-9) * piece, low + least)


def _y_range(numbers: NDArray[np.float64], rows: int) -> tuple[float, float]:
    low, high = float(numbers.min()), float(numbers.max())
    if high - low <= max(abs(low), abs(high)) * 1e-9 + 1e-300:
        pad = max(abs(low) * 0.1, 1e-12) if low else 1.0
        return low - pad, high + pad
    piece = ticks.nice_step(high - low, max(4, rows * 2))
    return math.floor(low / piece + 1e-9) * piece, math.ceil(high / piece - 1e-9) * piece


def _thin(curve: Dense | Sparse, plot: Plot, low: float, high: float) -> Thinned:
    edges = plot.scale.steps(np.linspace(low, high, max(2, plot.width) + 1))
    if isinstance(curve, Dense):
        places = np.clip(np.ceil(edges - curve.base), 0, curve.length).astype(np.int64)
    else:
        places = np.searchsorted(curve.steps, edges).astype(np.int64)
    if plot.window is None:
        places[-1] = curve.length
    elif isinstance(curve, Dense):
        # From rounding the edges may not reach the window's own ends.
        places[0], places[-1] = np.clip(np.array(plot.window) - curve.base + (0, 1), 0, curve.length)
        places = np.clip(places, places[0], places[-1])
    else:
        places[0], places[-1] = 0, curve.length
    return thin(curve.values, places, positive=plot.log)


def _edge(curve: Dense | Sparse, plot: Plot, low: float, high: float) -> Edge:
    """Return steps, heights and gaps of a band's edge; on a log axis what is not above 0 lies at the bottom."""
    if isinstance(curve, Sparse) and plot.window is not None and curve.length:
        curve = within(curve, *plot.window)
    if not curve.length:
        return np.empty(0), np.empty(0), np.empty(0, np.bool_)
    kept = _thin(curve, replace(plot, log=False), low, high)
    numbers = curve.values[kept.index].astype(np.float64)
    return _steps(curve, kept.index), np.log10(np.maximum(numbers, 10**LOWEST)) if plot.log else numbers, kept.gap


def _heights(curve: Dense | Sparse, kept: Thinned, plot: Plot) -> NDArray[np.float64]:
    numbers = curve.values[kept.index].astype(np.float64)
    return np.log10(numbers) if plot.log else numbers


def _steps(curve: Dense | Sparse, index: NDArray[np.int64]) -> NDArray[np.float64]:
    steps = index + curve.base if isinstance(curve, Dense) else curve.steps[index]
    return steps.astype(np.float64)


def _first(curve: Dense | Sparse) -> int:
    return curve.base if isinstance(curve, Dense) else int(curve.steps[0])


def _last(curve: Dense | Sparse) -> int:
    return curve.base + curve.length - 1 if isinstance(curve, Dense) else int(curve.steps[-1])
