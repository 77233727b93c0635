"""The marks on the points of curves that have few, such as evaluations, and on outliers at the edge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stoker.engine.history.series import PointSeries, Series

from .braille import DOTS_X, DOTS_Y
from .spec import Color, PlotSpec

POINT, ABOVE, BELOW = "●", "▲", "▼"
POINT_SHARE = 0.25  # points for each column at most; more would hide the line
REACH = 2.0, 98.0  # percentiles of a raw curve that the y axis covers; its mean is covered whole

Drawn = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]
"""Columns (n,) and rows (n,) of the dots of a curve's points, and its gaps (n,)."""
Marks = dict[tuple[int, int], tuple[str, Color]]
"""Character and colour by column and row of characters."""


def marked_points(
    curves: Sequence[tuple[Series, Color]], drawn: Sequence[Drawn], spec: PlotSpec, columns: int
) -> Marks:
    """Return the marks of the curves in front that have few points; the first curve wins."""
    marks: Marks = {}
    front = list(zip(curves, drawn, strict=True))[spec.background :] if spec.points else []
    for (curve, color), (across, up, _) in front[::-1]:
        if isinstance(curve, PointSeries) and len(across) <= columns * POINT_SHARE:
            places = zip((across // DOTS_X).tolist(), (up // DOTS_Y).tolist(), strict=True)
            marks |= dict.fromkeys(places, (POINT, color))
    return marks


def within_reach(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the heights (k,) of a raw curve (n,) without its outliers: single ones must not flatten all others."""
    if not len(numbers):
        return numbers
    low, high = np.percentile(numbers, REACH)
    kept: NDArray[np.float64] = numbers[(numbers >= low) & (numbers <= high)]
    return kept


def outliers(curves: Sequence[tuple[Series, Color]], drawn: Sequence[Drawn], top: int, spec: PlotSpec) -> Marks:
    """Return the marks at the edges for the points of raw curves outside of the rows 0 to `top` of dots."""
    marks: Marks = {}
    for (_, color), (across, up, _) in list(zip(curves, drawn, strict=True))[: spec.background]:
        for outside, row, mark in ((up > top, top // DOTS_Y, ABOVE), (up < 0, 0, BELOW)):
            marks |= {(column, row): (mark, color) for column in (across[outside] // DOTS_X).tolist()}
    return marks
