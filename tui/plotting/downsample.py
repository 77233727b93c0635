"""Thin a curve to the columns of a screen, so that a spike of a single step stays visible."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Thinned:
    """Two points a column at most. `index`: which points stay; `gap`: no line leads to this point; `bad`: NaN here."""

    index: NDArray[np.int64]
    gap: NDArray[np.bool_]
    bad: NDArray[np.int64]  # the first point of each column that cannot be drawn


def thin(values: NDArray[np.float32], edges: NDArray[np.int64], *, positive: bool = False) -> Thinned:
    """Keep the minimum and maximum of each column `values[edges[i]:edges[i + 1]]`.

    What is not finite, or not above 0 where `positive` is asked, is a gap.
    """
    index: list[int] = []
    gap: list[bool] = []
    bad: list[int] = []
    broken = False
    for start, end in itertools.pairwise(edges.tolist()):
        column = values[start:end]
        if not len(column):
            continue
        low, high = int(column.argmin()), int(column.argmax())  # a NaN is found by both
        drawable = np.isfinite(column[low]) and np.isfinite(column[high]) and not (positive and column[low] <= 0)
        if drawable:
            first, last, wrong = min(low, high), max(low, high), None
        else:
            good = np.isfinite(column) & (column > 0) if positive else np.isfinite(column)
            wrong = np.flatnonzero(~good)
            bad.append(start + int(wrong[0]))
            places = np.flatnonzero(good)
            if not len(places):
                broken = True
                continue
            chosen = column[places]
            first, last = sorted((int(places[chosen.argmin()]), int(places[chosen.argmax()])))
        index.append(start + first)
        gap.append(broken or (wrong is not None and bool((wrong < first).any())))
        if last != first:
            index.append(start + last)
            gap.append(wrong is not None and bool(((wrong > first) & (wrong < last)).any()))
        broken = wrong is not None and bool((wrong > last).any())
    return Thinned(np.array(index, np.int64), np.array(gap, np.bool_), np.array(bad, np.int64))
