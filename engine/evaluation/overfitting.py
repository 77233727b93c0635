"""Says when a model begins to learn its training data by heart."""

from __future__ import annotations

import math
from typing import Any

RISES = 3  # evaluations in a row with a higher loss, while the training loss fell


class Overfitting:
    """Watches evaluated against training loss."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._evaluated = self._trained = math.nan
        self._rises = 0

    def update(self, evaluated: float, trained: float) -> bool:
        """Take in one evaluation and the mean training loss before it; true once, when a rise is long enough."""
        if evaluated > self._evaluated and trained < self._trained:
            self._rises += 1
        elif evaluated <= self._evaluated:
            self._rises = 0
        self._evaluated, self._trained = evaluated, trained
        return self._rises == RISES

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"evaluated": self._evaluated, "trained": self._trained, "rises": self._rises}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self._evaluated, self._trained, self._rises = state["evaluated"], state["trained"], state["rises"]
