"""What stands across a plot: steps, epochs, or time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stoker.engine.history.step_times import Times

from . import ticks

Kind = Literal["step", "epoch", "time"]


@dataclass(frozen=True)
class Axis:
    """A scale that steps are shown on; `version` is that of `times`, so that two axes compare."""

    kind: Kind = "step"
    per_epoch: int = 1
    times: Times | None = None
    version: int = 0

    def of(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where `steps` lie: in steps, epochs or seconds."""
        if self.kind == "time" and self.times is not None:
            return self.times.of(steps)
        return steps / self.per_epoch if self.kind == "epoch" else steps

    def steps(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the steps at `places`."""
        if self.kind == "time" and self.times is not None:
            return self.times.steps(places)
        return places * self.per_epoch if self.kind == "epoch" else places

    def ticks(self, low: float, high: float, parts: int) -> ticks.Ticks:
        """Return the ticks from `low` to `high`, in the axis's own unit."""
        if self.kind == "time":
            return ticks.times(low, high, parts)
        return ticks.steps(low, high, parts) if self.kind == "step" else ticks.epochs(low, high, parts)


STEPS = Axis()
