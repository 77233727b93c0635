"""How far a training has come: with it and the state dicts, a run goes on as if it had never stopped."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass
class Progress:
    """Counts since the beginning of the run, or of the fold."""

    epoch: int = 0
    """Epochs that were completed."""
    batch: int = 0
    """Batches taken in the epoch under way."""
    step: int = 0
    """Optimizer steps."""
    samples: int = 0
    """Training samples."""
    seconds: float = 0.0
    """Time spent training and evaluating; pauses are left out."""
    evaluated: int = 0
    """The step of the last evaluation on schedule; an evaluation that was cut short is made again."""
    fold: int = 0
    """The fold under way, from 0."""

    @property
    def shown_epoch(self) -> int:
        """The epoch as people count: the first is 1."""
        return self.epoch + (self.batch > 0)

    def asdict(self) -> dict[str, Any]:
        """Return the counts as plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def of(cls, counts: dict[str, Any]) -> Progress:
        """Take counts from a checkpoint, also one with fewer or more of them."""
        return cls(**{field.name: counts[field.name] for field in dataclasses.fields(cls) if field.name in counts})
