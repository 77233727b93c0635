"""Lends a paused training's device memory to others: its state waits on the host, and comes back bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..data.batches import TensorBatches

if TYPE_CHECKING:
    from .trainer import Trainer


class Release:
    """Moves what a trainer holds on its device to the host, and back again."""

    def __init__(self, trainer: Trainer) -> None:
        """Serve `trainer`; nothing is moved yet."""
        self._trainer = trainer
        self.released = False
        self._at_home: set[tuple[int, str]] = set()

    def to_host(self) -> int:
        """Move everything off the device and empty its cache; returns the bytes that it freed there."""
        device = self._trainer.device
        before = _reserved(device)
        # A step count that an optimizer keeps on the host stays there.
        self._at_home = {
            (id(values), name)
            for values in self._trainer.optimizer.state.values()
            for name, value in values.items()
            if isinstance(value, Tensor) and value.device.type == "cpu"
        }
        self._move(torch.device("cpu"))
        if device.type == "cuda":
            torch.cuda.empty_cache()
        elif device.type == "mps":
            torch.mps.empty_cache()
        self.released = True
        return before - _reserved(device)

    def to_device(self) -> None:
        """Bring everything back. Raises torch.OutOfMemoryError where there is no room now; it may be called again."""
        if self.released:
            self._move(self._trainer.device)
            self.released = False

    def _move(self, target: torch.device) -> None:
        trainer = self._trainer
        # The parameters stay the same objects, which the optimizer knows; their gradients go along.
        trainer.model.to(target)
        if isinstance(trainer.task.loss, torch.nn.Module):
            trainer.task.loss.to(target)
        for values in trainer.optimizer.state.values():
            for name, value in values.items():
                if isinstance(value, Tensor) and (id(values), name) not in self._at_home:
                    values[name] = value.to(target)
        trainer.window = [loss.to(target) if isinstance(loss, Tensor) else loss for loss in trainer.window]
        for batches in (trainer.batches, trainer.examiner.batches):
            if isinstance(batches, TensorBatches):
                batches.move(target)


def _reserved(device: torch.device) -> int:
    return torch.cuda.memory_reserved(device) if device.type == "cuda" else 0
