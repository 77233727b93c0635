"""Min-max decimation: reduce a curve to the columns of a screen and keep every spike."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Downsampled:
    """At most two points for each column."""

    index: NDArray[np.int64]
    """Indices (n,) of the kept points."""
    gap: NDArray[np.bool_]
    """(n,): no line is drawn to this point."""
    bad: NDArray[np.int64]
    """Index of the first point in each column that cannot be drawn."""


def downsample(values: NDArray[np.float32], edges: NDArray[np.int64], *, positive: bool = False) -> Downsampled:
    """Keep the minimum and maximum of each column `values[edges[i]:edges[i + 1]]`.

    A value that is not finite or, with `positive`, not above 0 is a gap.
    """
    index: list[int] = []
    gap: list[bool] = []
    bad: list[int] = []
    broken = False
    for start, end in itertools.pairwise(edges.tolist()):
        column = values[start:end]
        if not len(column):
            continue
        low, high = int(column.argmin()), int(column.argmax())  # both return the index of a NaN
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
    return Downsampled(np.array(index, np.int64), np.array(gap, np.bool_), np.array(bad, np.int64))
