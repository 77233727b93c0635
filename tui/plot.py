"""Curves to text. `picture` lays curves out on a grid of braille dots; `draw` lets plotext turn that into lines.

Both are pure, and a picture compares equal to another that looks the same: so nobody draws the same thing twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import plotext
from numpy.typing import NDArray

from . import ticks
from .series import Dense, Sparse
from .thin import Thinned, thin

Color = tuple[int, int, int]
DOTS_X, DOTS_Y = 2, 4  # of a braille character
LEAST_WIDTH, LEAST_HEIGHT = 6, 2  # columns and rows of the canvas; below there is nothing to see


@dataclass(frozen=True)
class Plot:
    """What to draw: curves with their colours, on `width` × `height` characters."""

    width: int
    height: int
    curves: tuple[tuple[Dense | Sparse, Color], ...]
    axis: Color
    bad: Color  # of the marks where a value was not finite
    log: bool = False


@dataclass(frozen=True)
class Picture:
    """The same on a grid of dots; `note` stands in for curves where there are none."""

    width: int
    height: int
    axis: Color = (128, 128, 128)
    bad: Color = (255, 0, 0)
    lines: tuple[tuple[Color, tuple[int, ...], tuple[int | None, ...]], ...] = ()
    marks: tuple[int, ...] = ()
    x_ticks: tuple[tuple[int, str], ...] = ()
    y_ticks: tuple[tuple[int, str], ...] = ()
    margin: int = 0
    note: str = ""


def picture(plot: Plot) -> Picture:
    """Lay the curves out; never raises, whatever the curves hold."""
    curves = [(curve, color) for curve, color in plot.curves if curve.length]
    if not curves:
        return Picture(plot.width, plot.height, plot.axis, note="no points yet")
    x_low, x_high = _x_range([curve for curve, _ in curves])
    rows = plot.height - 2
    # The labels' width is known only after thinning; the columns are thinned for the widest canvas.
    thinned = [(curve, color, _thin(curve, plot, x_low, x_high)) for curve, color in curves]
    heights = [_heights(curve, kept, plot) for curve, _, kept in thinned]
    if not any(len(column) for column in heights):
        note = "nothing above 0 for a log axis" if plot.log else "no finite values"
        return Picture(plot.width, plot.height, plot.axis, note=note)
    y_low, y_high = _y_range(np.concatenate(heights), rows)
    y_marks = (ticks.logarithmic if plot.log else ticks.linear)(y_low, y_high, max(2, round(rows / 2.5)))
    margin = max((len(label) for _, label in y_marks), default=0)
    columns = plot.width - margin - 1
    if columns < LEAST_WIDTH or rows < LEAST_HEIGHT:
        return Picture(plot.width, plot.height, plot.axis)
    across, up = columns * DOTS_X - 1, rows * DOTS_Y - 1

    def column(step: float) -> int:
        return round((step - x_low) / (x_high - x_low) * across)

    def row(number: float) -> int:
        return round((number - y_low) / (y_high - y_low) * up)

    return Picture(
        plot.width,
        plot.height,
        plot.axis,
        plot.bad,
        tuple(
            (color, *_dots([column(x) for x in _steps(curve, kept.index)], [row(y) for y in height], kept.gap.tolist()))
            for (curve, color, kept), height in zip(thinned, heights, strict=True)
        ),
        tuple(sorted({column(x) for curve, _, kept in thinned for x in _steps(curve, kept.bad)})),
        tuple((column(x), label) for x, label in ticks.steps(x_low, x_high, max(2, columns // 10))),
        tuple((row(y), label) for y, label in y_marks),
        margin,
    )


def draw(image: Picture) -> str:
    """Return the picture as `height` lines of text with ANSI colours."""
    if not image.lines:
        return _note(image)
    columns, rows = image.width - image.margin - 1, image.height - 2
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(image.width, image.height)
    plotext.theme("clear")
    plotext.ticks_color(image.axis)
    plotext.xaxes(True, False)
    plotext.yaxes(True, False)
    for color, across, up in image.lines:
        plotext.plot(list(across), list(up), marker="braille", color=color)
    if image.marks:
        plotext.scatter(list(image.marks), [0] * len(image.marks), marker="×", color=image.bad)
    plotext.xlim(0, columns * DOTS_X - 1)
    plotext.ylim(0, rows * DOTS_Y - 1)
    plotext.xticks([place for place, _ in image.x_ticks], [label for _, label in image.x_ticks])
    plotext.yticks([place for place, _ in image.y_ticks], [label for _, label in image.y_ticks])
    return str(plotext.build())


def _note(image: Picture) -> str:
    above = max(0, (image.height - 1) // 2)
    return "\n" * above + image.note[: max(0, image.width)].center(image.width)


def _x_range(curves: list[Dense | Sparse]) -> tuple[float, float]:
    low = float(min(_first(curve) for curve in curves))
    high = max(_last(curve) for curve in curves)
    # In whole pieces, so that the curve grows inside a frame that stands still.
    piece = max(1.0, ticks.nice_step(high - low, 40))
    low = 0.0 if 0 < low <= (high - low) / 20 else low
    return low, max(math.ceil(high / piece) * piece, low + 1.0)


def _y_range(numbers: NDArray[np.float64], rows: int) -> tuple[float, float]:
    low, high = float(numbers.min()), float(numbers.max())
    if high - low <= max(abs(low), abs(high)) * 1e-9 + 1e-300:
        pad = max(abs(low) * 0.1, 1e-12) if low else 1.0
        return low - pad, high + pad
    piece = ticks.nice_step(high - low, max(4, rows * 2))
    return math.floor(low / piece + 1e-9) * piece, math.ceil(high / piece - 1e-9) * piece


def _thin(curve: Dense | Sparse, plot: Plot, low: float, high: float) -> Thinned:
    edges = np.linspace(low, high, max(2, plot.width) + 1)
    if isinstance(curve, Dense):
        places = np.clip(np.ceil(edges - curve.base), 0, curve.length).astype(np.int64)
    else:
        places = np.searchsorted(curve.steps, edges).astype(np.int64)
    places[-1] = curve.length
    return thin(curve.values, places, positive=plot.log)


def _heights(curve: Dense | Sparse, kept: Thinned, plot: Plot) -> NDArray[np.float64]:
    numbers = curve.values[kept.index].astype(np.float64)
    return np.log10(numbers) if plot.log else numbers


def _steps(curve: Dense | Sparse, index: NDArray[np.int64]) -> list[int]:
    steps = index + curve.base if isinstance(curve, Dense) else curve.steps[index]
    return [int(step) for step in steps]


def _first(curve: Dense | Sparse) -> int:
    return curve.base if isinstance(curve, Dense) else int(curve.steps[0])


def _last(curve: Dense | Sparse) -> int:
    return curve.base + curve.length - 1 if isinstance(curve, Dense) else int(curve.steps[-1])


def _dots(across: list[int], up: list[int], gap: list[bool]) -> tuple[tuple[int, ...], tuple[int | None, ...]]:
    xs: list[int] = []
    ys: list[int | None] = []
    for x, y, broken in zip(across, up, gap, strict=True):
        if broken and xs:
            xs.append(x)
            ys.append(None)
        elif xs and (xs[-1], ys[-1]) == (x, y):
            continue
        xs.append(x)
        ys.append(y)
    return tuple(xs), tuple(ys)
