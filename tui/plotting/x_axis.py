"""The unit of the x axis: steps, epochs, or time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stoker.engine.history.step_times import StepTimes

from . import ticks

Unit = Literal["step", "epoch", "time"]


@dataclass(frozen=True)
class XAxis:
    """Maps steps to the unit of the axis and back."""

    unit: Unit = "step"
    steps_per_epoch: int = 1
    times: StepTimes | None = None
    version: int = 0
    """The version of `times`: two axes compare equal only if no step was added."""

    def of(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the positions (n,) of `steps` (n,), in steps, epochs or seconds."""
        if self.unit == "time" and self.times is not None:
            return self.times.of(steps)
        return steps / self.steps_per_epoch if self.unit == "epoch" else steps

    def steps(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the steps (n,) at `positions` (n,)."""
        if self.unit == "time" and self.times is not None:
            return self.times.steps(positions)
        return positions * self.steps_per_epoch if self.unit == "epoch" else positions

    def ticks(self, low: float, high: float, parts: int) -> ticks.Ticks:
        """Return about `parts` ticks between the positions `low` and `high`."""
        if self.unit == "time":
            return ticks.times(low, high, parts)
        return ticks.steps(low, high, parts) if self.unit == "step" else ticks.epochs(low, high, parts)


STEPS = XAxis()
