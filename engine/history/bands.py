"""Several curves of the same quantity as one: their mean, and a standard deviation to each side of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .series import Dense, Sparse

CHUNK = 100_000  # steps at a time: the values of all curves never stand in memory together

Edges = tuple[Dense, Dense, Dense] | tuple[Sparse, Sparse, Sparse]
"""The mean, what lies a deviation below it, and what lies a deviation above."""


class Band:
    """Kept beside its curves: where they grow, only the new steps are computed."""

    def __init__(self, curves: Sequence[Dense | Sparse]) -> None:
        """Follow `curves`, which are all of one kind."""
        self._curves = curves
        self._known: list[tuple[int, int]] = []  # of each curve: its last step, and how often it was rewritten
        self._version = -1
        self._edges: Edges = (Sparse(), Sparse(), Sparse())

    def edges(self) -> Edges:
        """Return mean, low and high; at each step of the curves that have a value there."""
        version = sum(curve.version for curve in self._curves)
        if version != self._version:
            self._version = version
            dense = [curve for curve in self._curves if isinstance(curve, Dense)]
            points = [curve for curve in self._curves if isinstance(curve, Sparse) and curve.length]
            self._edges = self._of_steps(dense) if any(one.length for one in dense) else self._of_points(points)
        return self._edges

    def _of_steps(self, curves: list[Dense]) -> Edges:
        edges = self._edges
        known = [(curve.last_step, curve.rewrites) for curve in curves]
        changed = [old for old, new in zip(self._known, known, strict=False) if old != new]
        rewritten = any(old[1] != new[1] for old, new in zip(self._known, known, strict=False))
        if not self._known or rewritten or not isinstance(edges[0], Dense):
            edges = self._edges = (Dense(), Dense(), Dense())
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
            for edge, numbers in zip(edges, _spread(rows), strict=True):
                edge.put(start, numbers)
        return edges

    def _of_points(self, curves: list[Sparse]) -> Edges:
        if not curves:
            return Sparse(), Sparse(), Sparse()
        # Folds of unequal size are not evaluated at quite the same steps; so none counts before all have begun.
        steps = np.unique(np.concatenate([curve.steps for curve in curves]))
        steps = steps[steps >= max(int(curve.steps[0]) for curve in curves)]
        rows = np.stack([np.interp(steps, one.steps, one.values, left=np.nan, right=np.nan) for one in curves])
        mean, low, high = (Sparse.of(steps, numbers, self._version) for numbers in _spread(rows))
        return mean, low, high


def _spread(rows: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean of each column, and a standard deviation below and above it; what is not finite is left out."""
    good = np.isfinite(rows)
    with np.errstate(invalid="ignore", divide="ignore"):
        counts = good.sum(axis=0)
        mean = np.where(good, rows, 0).sum(axis=0) / counts
        deviation = np.sqrt((np.where(good, rows - mean, 0) ** 2).sum(axis=0) / np.maximum(counts - 1, 1))
    return mean.astype(np.float32), (mean - deviation).astype(np.float32), (mean + deviation).astype(np.float32)
