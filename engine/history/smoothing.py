"""Running means that follow their curve: a new step costs one new mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .series import PointSeries, StepSeries

CHUNK = 100_000  # steps averaged at a time, so that ten million sums are never in memory together


class SmoothSteps:
    """The mean of the last `width` steps at each step; values that are not finite are skipped and stay gaps."""

    def __init__(self, raw: StepSeries, width: int) -> None:
        """Follow `raw`."""
        self.raw, self.width = raw, width
        self._mean = StepSeries()
        self._rewrites = raw.rewrites

    def curve(self) -> StepSeries:
        """Return the means up to now."""
        if self._rewrites != self.raw.rewrites:
            self._mean, self._rewrites = StepSeries(), self.raw.rewrites
        values = self.raw.values
        for start in range(self._mean.length, len(values), CHUNK):
            end = min(start + CHUNK, len(values))
            before = max(0, start - self.width + 1)
            self._mean.put(self.raw.base + start, running_mean(values[before:end], self.width)[start - before :])
        return self._mean


class SmoothPoints:
    """The mean of the points in the last `width` steps, at each point of a curve with few points."""

    def __init__(self, raw: PointSeries, width: int) -> None:
        """Follow `raw`."""
        self.raw, self.width = raw, width
        self._mean = raw
        self._version = -1

    def curve(self) -> PointSeries:
        """Return the means up to now; `raw` itself while no two of its points are within `width` steps."""
        if self._version != self.raw.version:
            self._version = self.raw.version
            steps = self.raw.steps
            starts = np.searchsorted(steps, steps - self.width, side="right")
            alone = bool((starts == np.arange(len(steps))).all())
            means = _means(self.raw.values, starts)
            self._mean = self.raw if alone else PointSeries.of(steps.copy(), means, self._version)
        return self._mean


def running_mean(values: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return the mean (n,) of each value and the `width` - 1 before it; NaN at values that are not finite."""
    return _means(values, np.maximum(np.arange(1, len(values) + 1) - width, 0))


def _means(values: NDArray[np.float32], starts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the mean (n,) of each value and those before it, back to index `starts` (n,)."""
    good = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(good, values, 0), dtype=np.float64)])
    counts = np.concatenate([[0], np.cumsum(good)])
    ends = np.arange(1, len(values) + 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (sums[ends] - sums[starts]) / (counts[ends] - counts[starts])
    return np.where(good, means, np.nan).astype(np.float32)
