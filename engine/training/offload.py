"""Release the device memory of a paused training: its state moves to the host, and returns bit for bit."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..data.batches import Batches
from ..data.tensor_batches import TensorBatches
from .state import TrainingState


class Offload:
    """Moves a training from its device to the host, and back."""

    def __init__(self, state: TrainingState, batches: Sequence[Batches]) -> None:
        """Move `state` and those of `batches` that hold their data on the device; nothing moves yet."""
        self._state, self._batches = state, batches
        self._offloaded = False
        self._on_host: set[tuple[int, str]] = set()

    def offload(self) -> int:
        """Move everything off the device, empty its cache, and return the bytes that became free there."""
        device = self._state.device
        before = _reserved(device)
        # A step count that an optimizer keeps on the host stays there on reload.
        self._on_host = {
            (id(values), name)
            for values in self._state.optimizer.state.values()
            for name, value in values.items()
            if isinstance(value, Tensor) and value.device.type == "cpu"
        }
        self._move(torch.device("cpu"))
        if device.type == "cuda":
            torch.cuda.empty_cache()
        elif device.type == "mps":
            torch.mps.empty_cache()
        self._offloaded = True
        return before - _reserved(device)

    def reload(self) -> None:
        """Move everything back. Raises torch.OutOfMemoryError if the device lacks memory; then call it again later."""
        if self._offloaded:
            self._move(self._state.device)
            self._offloaded = False

    def _move(self, target: torch.device) -> None:
        self._state.to(target, keep=self._on_host)
        for batches in self._batches:
            if isinstance(batches, TensorBatches):
                batches.move(target)


def _reserved(device: torch.device) -> int:
    return torch.cuda.memory_reserved(device) if device.type == "cuda" else 0
