"""Curves to text. `picture` lays curves out on a grid of braille dots; `draw` lets plotext turn that into lines.

Both are pure, and a picture compares equal to another that looks the same: so nobody draws the same thing twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import plotext
from numpy.typing import NDArray

from . import raster, ticks
from .raster import DOTS_X, DOTS_Y
from .series import Dense, Sparse
from .thin import Thinned, thin

Color = tuple[int, int, int]
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
    margin: int = 0
    note: str = ""


def picture(plot: Plot) -> Picture:
    """Lay the curves out; never raises, whatever the curves hold."""
    curves = [(curve, color) for curve, color in plot.curves if curve.length]
    if not curves:
        return Picture(plot.width, plot.height, plot.axis, note=plot.empty)
    x_low, x_high = _x_range([curve for curve, _ in curves], plot.span)
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

    def column(steps: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.rint((steps - x_low) / (x_high - x_low) * across).astype(np.int64)

    def row(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.rint((numbers - y_low) / (y_high - y_low) * up).astype(np.int64)

    dots = [
        raster.line(np.stack([column(_steps(curve, kept.index)), row(numbers)], axis=1), kept.gap)
        for (curve, _, kept), numbers in zip(thinned, heights, strict=True)
    ]
    marks = {mark for curve, _, kept in thinned for mark in column(_steps(curve, kept.bad)).tolist()}
    x_marks = ticks.steps(x_low, x_high, max(2, columns // 10))
    return Picture(
        plot.width,
        plot.height,
        plot.axis,
        plot.bad,
        tuple(
            (color, tuple(mine[:, 0].tolist()), tuple(mine[:, 1].tolist()))
            for (_, color), mine in zip(curves, raster.share(dots, columns, rows), strict=True)
            if len(mine)
        ),
        tuple(sorted(marks)),
        tuple((int(column(np.array(x))) // DOTS_X, label) for x, label in x_marks),
        tuple((int(row(np.array(y))) // DOTS_Y, label) for y, label in y_marks),
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
    for color, xs, ys in image.lines:
        plotext.scatter(list(xs), list(ys), marker="braille", color=color)
    if image.marks:
        plotext.scatter(list(image.marks), [0] * len(image.marks), marker="×", color=image.bad)
    across, up = columns * DOTS_X - 1, rows * DOTS_Y - 1
    plotext.xlim(0, across)
    plotext.ylim(0, up)
    # plotext spreads characters over the dots' range; so a tick is where its character is.
    plotext.xticks([at * across / (columns - 1) for at, _ in image.x_ticks], [label for _, label in image.x_ticks])
    plotext.yticks([at * up / (rows - 1) for at, _ in image.y_ticks], [label for _, label in image.y_ticks])
    return str(plotext.build()).rstrip("\n")


def _note(image: Picture) -> str:
    above = "\n" * max(0, (image.height - 1) // 2)
    red, green, blue = image.axis
    return f"{above}\x1b[38;2;{red};{green};{blue}m{image.note[: max(0, image.width)].center(image.width)}\x1b[0m"


def _x_range(curves: list[Dense | Sparse], span: tuple[int, int]) -> tuple[float, float]:
    low = float(min(span[0], *map(_first, curves)))
    high = max(span[1], *map(_last, curves))
    # In whole pieces, so that the curve grows inside a frame that stands still.
    piece = max(1.0, ticks.nice_step(high - low, 40))
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


def _steps(curve: Dense | Sparse, index: NDArray[np.int64]) -> NDArray[np.float64]:
    steps = index + curve.base if isinstance(curve, Dense) else curve.steps[index]
    return steps.astype(np.float64)


def _first(curve: Dense | Sparse) -> int:
    return curve.base if isinstance(curve, Dense) else int(curve.steps[0])


def _last(curve: Dense | Sparse) -> int:
    return curve.base + curve.length - 1 if isinstance(curve, Dense) else int(curve.steps[-1])
