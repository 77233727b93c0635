"""Detect when a model starts to overfit: the evaluated loss rises while the training loss falls."""

from __future__ import annotations

import math
from typing import Any

RISES = 3  # evaluations with a higher evaluated loss and a lower training loss before a warning


class Overfitting:
    """Compares the evaluated loss with the training loss after each evaluation."""

    def __init__(self) -> None:
        """Start without an evaluation."""
        self._evaluated = self._trained = math.nan
        self._rises = 0
        self._lowest, self.lowest_step = math.inf, 0

    def update(self, evaluated: float, trained: float, step: int = 0) -> bool:
        """Add the evaluated loss and the mean training loss before it; return whether to warn now.

        It returns True once, at the third rise. An evaluated loss that does not rise resets the count.
        """
        if evaluated < self._lowest:
            self._lowest, self.lowest_step = evaluated, step
        if evaluated > self._evaluated and trained < self._trained:
            self._rises += 1
        elif evaluated <= self._evaluated:
            self._rises = 0
        self._evaluated, self._trained = evaluated, trained
        return self._rises == RISES

    def state_dict(self) -> dict[str, Any]:
        """Return the counter for a checkpoint."""
        return {
            "evaluated": self._evaluated,
            "trained": self._trained,
            "rises": self._rises,
            "lowest": self._lowest,
            "lowest_step": self.lowest_step,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load the result of `state_dict`."""
        self._evaluated, self._trained, self._rises = state["evaluated"], state["trained"], state["rises"]
        # Older checkpoints lack them: then the last evaluated loss counts as the lowest one.
        self._lowest, self.lowest_step = state.get("lowest", self._evaluated), state.get("lowest_step", 0)
