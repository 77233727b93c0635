"""The y axis: its range and its ticks, which stand on whole rows at equal distances."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import ticks
from .braille import DOTS_Y
from .ranges import y_range
from .ticks import Ticks

ROWS_BETWEEN = 3  # rows between two ticks that look best
LEAST_BETWEEN = 2  # rows between two ticks at least
FAR_ROWS = 0.05  # worth of a row more or less between two ticks, as a share of the height that the curves fill
LEAST_FILLED = 0.75  # share of the height that the curves fill at least
LEAST_TICKS = 2
DECADES = (1, 2, 3, 5, 10, 20, 50, 100, 200)  # powers of ten between two ticks of a log axis


def y_axis(numbers: NDArray[np.float64], rows: int, log: bool) -> tuple[float, float, Ticks]:
    """Return the lowest and highest value of `rows` rows that hold `numbers` (n,), and the ticks.

    On a log axis all are exponents of ten. Where no step puts the ticks on whole rows, they go to the nearest ones.
    """
    low, high = y_range(numbers, rows)
    span = high - low
    if log:
        # Every power of ten, as long as there is room.
        steps = [float(step) for step in DECADES if step <= span and step * rows >= LEAST_BETWEEN * span][:1]
    else:
        steps = list(
            dict.fromkeys(ticks.nice_step(span, parts) for parts in range(1, max(2, rows // LEAST_BETWEEN) + 1))
        )
    found = _even(low, high, rows, steps)
    placed = _ticks(*found, log) if found else []
    if low >= 0 and not log:
        placed = [tick for tick in placed if tick[0] >= 0]
    if found is None or len(placed) < LEAST_TICKS:
        parts = max(2, round(rows / 2.5))
        return low, high, (ticks.logarithmic if log else ticks.linear)(low, high, parts)
    return found[0], found[1], placed


def _ticks(low: float, high: float, step: float, log: bool) -> Ticks:
    return ticks.decades(low, high, int(step)) if log else ticks.at_multiples(low, high, step)


def _even(low: float, high: float, rows: int, steps: list[float]) -> tuple[float, float, float] | None:
    """Return a range around `low` to `high` and the step, one of `steps`, that is a whole number of rows in it.

    None if no step leaves `LEAST_BETWEEN` rows between two ticks, or all would leave too much of the height empty.
    """
    dots = rows * DOTS_Y - 1
    best: tuple[float, float, float] | None = None
    for step in steps:
        between = math.floor(step * dots / (high - low) / DOTS_Y + 1e-9) if math.isfinite(step) else 0
        if between < LEAST_BETWEEN:
            continue
        dot = step / between / DOTS_Y
        filled = (high - low) / (dots * dot)
        score = filled - FAR_ROWS * abs(between - ROWS_BETWEEN)
        if filled >= LEAST_FILLED and (best is None or score > best[0]):
            best = score, dot, step
    if best is None:
        return None
    _, dot, step = best
    first = math.ceil(low / step - 1e-9) * step
    # Move the first tick by whole dots; free rows are left below the curves, where the axis is.
    bottom = first - math.floor(dots - (high - first) / dot + 1e-9) * dot
    return bottom, bottom + dots * dot, step
