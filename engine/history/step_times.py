"""The approximate time of each step: pairs of step and seconds trained, downsampled as they grow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PAIRS = 2048  # pairs kept at most


class StepTimes:
    """Maps steps to seconds of training and back, linear between the kept pairs."""

    def __init__(self) -> None:
        """Start at step 0 and 0 seconds."""
        self.version = 0
        self._pairs: list[tuple[int, float]] = [(0, 0.0)]
        self._array: tuple[int, NDArray[np.float64]] = (-1, np.empty((0, 2)))

    def put(self, step: int, seconds: float) -> None:
        """Record that `step` was taken after `seconds` of training."""
        last, before = self._pairs[-1]
        if step <= last:
            return
        # Time must rise, so that the map can be inverted.
        self._pairs.append((step, max(seconds, before + 1e-6)))
        self.version += 1
        if len(self._pairs) > PAIRS:
            # Keep every second pair, and always the first and the newest.
            self._pairs = [self._pairs[0], *(self._pairs[2::2] if len(self._pairs) % 2 else self._pairs[1::2])]

    def truncate(self, step: int) -> None:
        """Drop everything after `step`."""
        self._pairs = [pair for pair in self._pairs if pair[0] <= max(step, 0)]
        self.version += 1

    def of(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the seconds (n,) at `steps` (n,)."""
        return self._line(steps, 0, 1)

    def steps(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the steps (n,) at `seconds` (n,)."""
        return self._line(seconds, 1, 0)

    def _line(self, places: NDArray[np.float64], source: int, target: int) -> NDArray[np.float64]:
        if self._array[0] != self.version:
            self._array = self.version, np.array(self._pairs)
        pairs = self._array[1]
        along, values = pairs[:, source], pairs[:, target]
        found = np.interp(places, along, values)
        if len(pairs) > 1:
            # Extrapolate beyond the newest pair with the last slope.
            slope = (values[-1] - values[-2]) / (along[-1] - along[-2])
            found = np.where(places > along[-1], values[-1] + (places - along[-1]) * slope, found)
        return np.asarray(found, np.float64)
