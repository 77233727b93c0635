"""Curves that grow: one value for each step, or values at some steps only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LONGEST_GAP = 20_000_000  # steps without a value, in all: a longer jump comes from a broken event and is ignored

Points = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Steps (n,) and the values (n,) at these steps."""


class StepSeries:
    """One float32 for each step from step `base` on; a step without a value is NaN."""

    def __init__(self) -> None:
        """Start empty."""
        self.base = 0
        self.length = 0
        self.version = 0
        self._missing = 0  # steps that were jumped over
        self.rewrites = 0  # number of changes other than appended values
        self._values: NDArray[np.float32] = np.empty(0, np.float32)

    def put(self, first: int, numbers: Sequence[float] | NDArray[np.float32]) -> None:
        """Set the values of the steps from `first` on, replacing older ones."""
        if not len(numbers):
            return
        if self.length == 0:
            self.base, self._missing = first, 0
        start, end = first - self.base, first - self.base + len(numbers)
        gap = max(-end, start - self.length, 0)
        if self._missing + gap > LONGEST_GAP:
            return
        self._missing += gap
        self.rewrites += start < self.length
        if start < 0:
            self._prepend(-start)
            start, end = 0, end - start
        if end > len(self._values):
            grown = np.full(max(end, len(self._values) * 3 // 2, 1024), np.nan, np.float32)
            grown[: self.length] = self._values[: self.length]
            self._values = grown
        with np.errstate(over="ignore"):  # a number too large for float32 becomes infinite
            self._values[start:end] = numbers
        self.length = max(self.length, end)
        self.version += 1

    def truncate(self, step: int) -> None:
        """Drop all values beyond `step`."""
        length = max(0, min(self.length, step - self.base + 1))
        if length < self.length:
            self._values[length : self.length] = np.nan
            self.length = length
            self.rewrites += 1
            self.version += 1

    def points(self) -> Points:
        """Return copies of the steps and values, both (length,)."""
        return np.arange(self.base, self.base + self.length, dtype=np.int64), self.values.copy()

    @property
    def last_step(self) -> int:
        """The step of the last value, or 0 without values."""
        return self.base + self.length - 1 if self.length else 0

    @property
    def values(self) -> NDArray[np.float32]:
        """The values (length,), one for each step; a view, not a copy."""
        return self._values[: self.length]

    def _prepend(self, missing: int) -> None:
        self._values = np.concatenate([np.full(missing, np.nan, np.float32), self.values])
        self.base -= missing
        self.length += missing


class PointSeries:
    """Values at some steps, sorted by step; a new value at a step replaces the old one."""

    def __init__(self) -> None:
        """Start empty."""
        self.length = 0
        self.version = 0
        self._steps: NDArray[np.int64] = np.empty(16, np.int64)
        self._values: NDArray[np.float32] = np.empty(16, np.float32)

    @classmethod
    def of(cls, steps: NDArray[np.int64], values: NDArray[np.float32], version: int = 0) -> PointSeries:
        """Return a curve of these points (n,), which must be sorted by step; the arrays are not copied."""
        curve = cls()
        curve._steps, curve._values, curve.length, curve.version = steps, values, len(steps), version
        return curve

    def put(self, step: int, number: float) -> None:
        """Set the value at `step`."""
        at = self.length
        if at and step <= self._steps[at - 1]:
            at = int(np.searchsorted(self.steps, step))
        if at == self.length or self._steps[at] != step:
            if self.length == len(self._steps):
                self._steps = np.concatenate([self._steps, np.empty_like(self._steps)])
                self._values = np.concatenate([self._values, np.empty_like(self._values)])
            self._steps[at + 1 : self.length + 1] = self._steps[at : self.length].copy()
            self._values[at + 1 : self.length + 1] = self._values[at : self.length].copy()
            self.length += 1
        self._steps[at] = step
        with np.errstate(over="ignore"):
            self._values[at] = number
        self.version += 1

    def set_from(self, step: int, number: float) -> None:
        """Set the value from `step` on; the constant stretch before it ends one step earlier."""
        last = self.length - 1
        if last > 0 and self._steps[last] == step and self._values[last] == self._values[last - 1]:
            self._steps[last] = max(step - 1, int(self._steps[last - 1]) + 1)
        self.put(step, number)

    def extend_to(self, step: int) -> None:
        """Extend the last value to `step`: the curve is constant up to there."""
        last = self.length - 1
        if last < 0 or step <= self._steps[last]:
            return
        if last > 0 and self._values[last] == self._values[last - 1]:
            self._steps[last] = step
            self.version += 1
        else:
            self.put(step, float(self._values[last]))

    def truncate(self, step: int) -> None:
        """Drop all values beyond `step`."""
        length = int(np.searchsorted(self.steps, step, side="right"))
        if length < self.length:
            self.length = length
            self.version += 1

    def points(self) -> Points:
        """Return copies of the steps and values, both (length,)."""
        return self.steps.copy(), self.values.copy()

    @property
    def steps(self) -> NDArray[np.int64]:
        """The steps (length,), ascending; a view, not a copy."""
        return self._steps[: self.length]

    @property
    def values(self) -> NDArray[np.float32]:
        """The values (length,) at `steps`; a view, not a copy."""
        return self._values[: self.length]

    @property
    def last(self) -> float | None:
        """The value at the last step, or None without values."""
        return float(self._values[self.length - 1]) if self.length else None


Series = StepSeries | PointSeries


def within(curve: PointSeries, low: int, high: int, *, positive: bool = False) -> PointSeries:
    """Return the points from step `low` to `high`, with interpolated points at the two ends.

    No end point is added next to a value that is not finite or, with `positive`, not above 0.
    """
    steps, values = curve.steps, curve.values
    first, end = int(np.searchsorted(steps, low)), int(np.searchsorted(steps, high, side="right"))

    def crossing(step: int, before: int) -> tuple[list[int], list[float]]:
        if before < 0 or before + 1 >= curve.length or step in (steps[before], steps[before + 1]):
            return [], []
        ends = values[before : before + 2]
        if not np.isfinite(ends).all() or (positive and (ends <= 0).any()):
            return [], []
        share = (step - steps[before]) / (steps[before + 1] - steps[before])
        return [step], [float(values[before] + share * (values[before + 1] - values[before]))]

    (at_low, from_low), (at_high, from_high) = crossing(low, first - 1), crossing(high, end - 1)
    return PointSeries.of(
        np.concatenate([np.array(at_low, np.int64), steps[first:end], np.array(at_high, np.int64)]),
        np.concatenate([from_low, values[first:end], from_high]).astype(np.float32),
    )
