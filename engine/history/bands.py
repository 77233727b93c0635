"""The mean of one curve over several folds, with one standard deviation to each side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .series import PointSeries, Series, StepSeries

CHUNK = 100_000  # steps computed at a time, so that the values of all folds are never in memory together

Edges = tuple[StepSeries, StepSeries, StepSeries] | tuple[PointSeries, PointSeries, PointSeries]
"""The mean, the mean minus one standard deviation, and the mean plus one."""


class FoldBand:
    """The mean and the edges of several curves; when the curves grow, only the new steps are computed."""

    def __init__(self, curves: Sequence[Series]) -> None:
        """Follow `curves`, which are all `StepSeries` or all `PointSeries`."""
        self._curves = curves
        self._known: list[tuple[int, int]] = []  # last step and rewrites of each curve
        self._version = -1
        self._edges: Edges = (PointSeries(), PointSeries(), PointSeries())

    def edges(self) -> Edges:
        """Return the mean and the lower and upper edge, at each step where a curve has a value."""
        version = sum(curve.version for curve in self._curves)
        if version != self._version:
            self._version = version
            dense = [curve for curve in self._curves if isinstance(curve, StepSeries)]
            points = [curve for curve in self._curves if isinstance(curve, PointSeries) and curve.length]
            self._edges = self._of_steps(dense) if any(one.length for one in dense) else self._of_points(points)
        return self._edges

    def _of_steps(self, curves: list[StepSeries]) -> Edges:
        edges = self._edges
        known = [(curve.last_step, curve.rewrites) for curve in curves]
        changed = [old for old, new in zip(self._known, known, strict=False) if old != new]
        rewritten = any(old[1] != new[1] for old, new in zip(self._known, known, strict=False))
        if not self._known or rewritten or not isinstance(edges[0], StepSeries):
            edges = self._edges = (StepSeries(), StepSeries(), StepSeries())
            first = min(curve.base for curve in curves if curve.length)
        else:
            first = min((last for last, _ in changed), default=0) + 1
        self._known = known
        for start in range(first, max(last for last, _ in known) + 1, CHUNK):
            end = min(start + CHUNK, max(last for last, _ in known) + 1)
            rows = np.full((len(curves), end - start), np.nan)
            for row, curve in zip(rows, curves, strict=True):
                a, b = max(start, curve.base), min(end, curve.base + curve.length)
                row[max(0, a - start) : max(0, b - start)] = curve.values[
                    max(0, a - curve.base) : max(0, b - curve.base)
                ]
            for edge, numbers in zip(edges, _mean_and_edges(rows), strict=True):
                edge.put(start, numbers)
        return edges

    def _of_points(self, curves: list[PointSeries]) -> Edges:
        if not curves:
            return PointSeries(), PointSeries(), PointSeries()
        # Folds of unequal size are evaluated at different steps: start where every fold has its first value.
        steps = np.unique(np.concatenate([curve.steps for curve in curves]))
        steps = steps[steps >= max(int(curve.steps[0]) for curve in curves)]
        rows = np.stack([np.interp(steps, one.steps, one.values, left=np.nan, right=np.nan) for one in curves])
        mean, low, high = (PointSeries.of(steps, numbers, self._version) for numbers in _mean_and_edges(rows))
        return mean, low, high


def _mean_and_edges(
    rows: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return mean, mean - std and mean + std of each column of `rows` (curves, n); values that are not finite are skipped."""
    good = np.isfinite(rows)
    with np.errstate(invalid="ignore", divide="ignore"):
        counts = good.sum(axis=0)
        mean = np.where(good, rows, 0).sum(axis=0) / counts
        deviation = np.sqrt((np.where(good, rows - mean, 0) ** 2).sum(axis=0) / np.maximum(counts - 1, 1))
    return mean.astype(np.float32), (mean - deviation).astype(np.float32), (mean + deviation).astype(np.float32)
