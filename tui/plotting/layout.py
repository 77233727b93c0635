"""Lays curves out on a grid of braille dots.

Two layouts that look the same compare equal, so a widget can skip a drawing that would change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stoker.engine.history.series import PointSeries, within

from . import braille
from .braille import DOTS_X, DOTS_Y
from .points import marked_points, outliers, within_reach
from .ranges import MIN_EXPONENT, Edge, band_edge, heights, steps_at, visible, x_range
from .spec import Color, PlotSpec
from .y_axis import y_axis

MIN_COLUMNS, MIN_ROWS = 6, 2  # characters of the smallest canvas that is drawn


@dataclass(frozen=True)
class PlotLayout:
    """A plot as dots and characters, counted from the bottom left of the canvas."""

    width: int
    height: int
    axis: Color = (128, 128, 128)
    bad: Color = (255, 0, 0)
    lines: tuple[tuple[Color, tuple[int, ...], tuple[int, ...]], ...] = ()
    """Colour, and the columns and rows of the dots."""
    gaps: tuple[int, ...] = ()
    """Columns of dots with a value that is not finite."""
    x_ticks: tuple[tuple[int, str], ...] = ()
    """Column of characters, and label."""
    y_ticks: tuple[tuple[int, str], ...] = ()
    """Row of characters, and label."""
    markers: tuple[tuple[int, str, Color], ...] = ()
    """Column of characters, character, and colour."""
    points: tuple[tuple[int, int, str, Color], ...] = ()
    """Column and row of characters, character, and colour, of marked evaluations and of outliers at the edge."""
    margin: int = 0
    """Columns of the labels left of the y axis."""
    note: str = ""
    """The text of a plot without curves."""
    x_range: tuple[float, float] = (0.0, 1.0)
    """The range of the x axis, in its unit."""


def lay_out(spec: PlotSpec) -> PlotLayout:
    """Return the layout of a plot; never raises, whatever values the curves hold."""
    spec = replace(
        spec,
        curves=tuple((curve, color) for curve, color in spec.curves if curve.length),
        bands=tuple(band for band in spec.bands if band[0].length and band[1].length),
        background=sum(curve.length > 0 for curve, _ in spec.curves[: spec.background]),
    )
    curves = list(spec.curves)
    if not curves:
        return PlotLayout(spec.width, spec.height, spec.axis, note=spec.empty)
    if (window := spec.window) is not None:
        curves = [
            (within(curve, *window, positive=spec.log) if isinstance(curve, PointSeries) else curve, color)
            for curve, color in curves
        ]
    x_low, x_high = x_range([*(curve for curve, _ in curves), *(low for low, *_ in spec.bands)], spec)
    rows = spec.height - 2
    # Downsample for the widest canvas: the width of the labels is known only afterwards.
    points = [(curve, visible(curve, spec, x_low, x_high)) for curve, _ in curves]
    values = [heights(curve, kept, spec) for curve, kept in points]
    edges = [(band_edge(low, spec, x_low, x_high), band_edge(high, spec, x_low, x_high)) for low, high, _ in spec.bands]
    if not any(len(column) for column in values):
        return PlotLayout(
            spec.width, spec.height, spec.axis, note=_note(spec, any(len(kept.bad) for _, kept in points))
        )
    behind = [within_reach(numbers) for numbers in values[: spec.background]]
    shown = np.concatenate([*behind, *values[spec.background :], *_bounds(edges, spec)])
    y_low, y_high, y_marks = y_axis(shown, rows, spec.log)
    margin = max((len(label) for _, label in y_marks), default=0)
    columns = spec.width - margin - 1
    if columns < MIN_COLUMNS or rows < MIN_ROWS:
        return PlotLayout(spec.width, spec.height, spec.axis)
    across, up = columns * DOTS_X - 1, rows * DOTS_Y - 1

    def column(steps: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.rint((spec.x_axis.of(steps) - x_low) / (x_high - x_low) * across).astype(np.int64)

    def row(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.rint((numbers - y_low) / (y_high - y_low) * up).astype(np.int64)

    def columns_of(steps: list[int]) -> list[tuple[int, int]]:
        """Return index and column of the steps that lie on the canvas."""
        found = [int(column(np.array(float(step)))) for step in steps]
        return [(index, at) for index, at in enumerate(found) if 0 <= at <= across]

    drawn = [
        (column(steps_at(curve, kept.index)), row(numbers), kept.gap)
        for (curve, kept), numbers in zip(points, values, strict=True)
    ]
    marks = outliers(curves, drawn, up, spec) | marked_points(curves, drawn, spec, columns)
    drawn = [(across_, np.clip(up_, 0, up), gap) for across_, up_, gap in drawn]
    dots = [braille.line(np.stack([across_, up_], axis=1), gap) for across_, up_, gap in drawn]
    bands = []
    for pair in edges:
        low, high = (
            braille.line(np.stack([column(steps), row(np.clip(numbers, y_low, y_high))], axis=1), gap)
            for steps, numbers, gap in pair
        )
        bands.append(braille.band(low, high, columns, rows))
    verticals = [
        (np.stack([np.full(rows, at), np.arange(rows) * DOTS_Y], axis=1), spec.vertical_lines[index][1])
        for index, at in columns_of([step for step, _ in spec.vertical_lines])
    ]
    markers = {at // DOTS_X: spec.markers[index][1:] for index, at in columns_of([step for step, *_ in spec.markers])}
    gaps = {gap for curve, kept in points for gap in column(steps_at(curve, kept.bad)).tolist()}
    x_marks = spec.x_axis.ticks(x_low, x_high, max(2, columns // 10))
    front = dots[spec.background :]
    if spec.dashed:
        front = [braille.dashed(mine, number) for number, mine in enumerate(front)]
    # With marked points the first curve lies on top: the line of a few evaluations would hide a training loss.
    order = slice(None, None, -1 if spec.points else 1)
    front = braille.share(front[order], columns, rows)
    back = [*(line for line, _ in verticals), *bands, *dots[: spec.background]]
    back = braille.hidden_behind(back, front, columns, rows)
    colors = [*(color for _, color in verticals), *(color for *_, color in spec.bands)]
    colors += [color for _, color in (*curves[: spec.background], *curves[spec.background :][order])]
    return PlotLayout(
        spec.width,
        spec.height,
        spec.axis,
        spec.bad,
        tuple(
            (color, tuple(mine[:, 0].tolist()), tuple(mine[:, 1].tolist()))
            for color, mine in zip(colors, braille.share([*back, *front], columns, rows), strict=True)
            if len(mine)
        ),
        tuple(sorted(gaps)),
        tuple((round((x - x_low) / (x_high - x_low) * across) // DOTS_X, label) for x, label in x_marks),
        tuple((int(row(np.array(y))) // DOTS_Y, label) for y, label in y_marks),
        tuple((at, character, color) for at, (character, color) in sorted(markers.items())),
        margin=margin,
        points=tuple((*place, *mark) for place, mark in sorted(marks.items())),
        x_range=(x_low, x_high),
    )


def _note(spec: PlotSpec, bad: bool) -> str:
    """Return the note for curves without a drawable point; `bad` is True if values exist but none can be drawn."""
    if spec.log and bad:
        return "Log axis needs values above 0."
    return "No finite values." if bad else "No points here."


def _bounds(edges: list[tuple[Edge, Edge]], spec: PlotSpec) -> list[NDArray[np.float64]]:
    """Return the heights of the bands that the y axis must cover; on a log axis the upper edges alone."""
    if spec.log:
        return [numbers[numbers > MIN_EXPONENT] for _, (_, numbers, _) in edges]
    return [numbers for pair in edges for _, numbers, _ in pair]
