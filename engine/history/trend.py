"""The trend of a noisy curve: how much its last part changed, and whether that can be chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
MIN_POINTS = 5  # points that are judged at least
LAST_SHARE = 3  # the last third of a curve is judged against the third before it


@dataclass(frozen=True)
class Trend:
    """The last third of a curve, compared with the third before it."""

    points: int
    """Points of the last third."""
    change: float
    """The mean of the last third minus that of the third before."""
    late_change: float
    """The mean of the second half of the last third minus that of its first half."""
    error: float
    """Standard error of `change`, by the scatter."""
    scatter: float
    """Standard deviation of one point, by `scatter_of` the last two thirds."""
    level: float
    """Mean of the last third."""
    whole: float
    """Range of the whole curve, smoothed by means of three points."""


def finite(steps: NDArray[np.int64], values: NDArray[np.float32]) -> tuple[Numbers, Numbers]:
    """Return the steps (k,) and values (k,) of the points (n,) that are finite."""
    good = np.isfinite(values)
    return steps[good].astype(np.float64), values[good].astype(np.float64)


def block_means(steps: NDArray[np.int64], values: NDArray[np.float32], count: int) -> tuple[Numbers, Numbers]:
    """Return the mean step (k,) and mean finite value (k,) of `count` equal parts of a curve; k ≤ `count`."""
    x, y = finite(steps, values)
    parts = [part for part in np.array_split(np.arange(len(x)), count) if len(part)]
    return np.array([x[part].mean() for part in parts]), np.array([y[part].mean() for part in parts])


def smooth(values: Numbers) -> Numbers:
    """Return the mean (n,) of each value and its neighbours."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    return np.convolve(padded, np.ones(3) / 3, "valid")


def scatter_of(values: Numbers) -> float:
    """Return the standard deviation of one point (n,) around a slowly changing mean.

    It is the root mean square of the second differences over √6, so that a straight trend does not count as scatter.
    """
    differences = np.diff(values, 2)
    return math.sqrt(float((differences**2).mean()) / 6) if len(differences) else 0.0


def trend_of(values: Numbers) -> Trend | None:
    """Return the trend of a curve (n,); None with fewer than `MIN_POINTS` points."""
    if len(values) < MIN_POINTS:
        return None
    count = max(2, len(values) // LAST_SHARE)
    before, last = values[-2 * count : -count], values[-count:]
    half = count // 2
    scatter = scatter_of(values[-2 * count :])
    means = smooth(values)
    return Trend(
        count,
        float(last.mean() - before.mean()),
        float(last[half:].mean() - last[:half].mean()),
        scatter * math.sqrt(2 / count),
        scatter,
        float(last.mean()),
        float(means.max() - means.min()),
    )
