"""Release the device memory of a paused training: its state moves to the host, and returns bit for bit."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..accelerator.memory import empty_cache, is_out_of_memory, reserved
from ..data.batches import Batches
from ..data.tensor_batches import TensorBatches
from ..evaluation.metrics import Metrics
from .kept_buffers import KeptBuffers
from .state import TrainingState


class Offload:
    """Moves a training from its device to the host, and back."""

    def __init__(
        self, state: TrainingState, batches: Sequence[Batches], buffers: KeptBuffers, metrics: Metrics
    ) -> None:
        """Move `state` and those of `batches` that hold their data on the device; nothing moves yet.

        The copies of `buffers` and the counts of `metrics` are dropped: the next batch makes them anew.
        """
        self._state, self._batches, self._buffers, self._metrics = state, batches, buffers, metrics
        self._offloaded = False
        self._on_host: set[tuple[int, str]] = set()

    def offload(self) -> int:
        """Move everything off the device, empty its cache, and return the bytes that became free there."""
        device = self._state.device
        before = reserved(device)
        # A step count that an optimizer keeps on the host stays there on reload.
        self._on_host = {
            (id(values), name)
            for values in self._state.optimizer.state.values()
            for name, value in values.items()
            if isinstance(value, Tensor) and value.device.type == "cpu"
        }
        self._to_host()
        self._offloaded = True
        return before - reserved(device)

    def reload(self) -> None:
        """Move everything back. Raises torch.OutOfMemoryError if the device lacks memory; then call it again later."""
        if not self._offloaded:
            return
        try:
            self._move(self._state.device)
            self._buffers.collect()
        except RuntimeError as error:
            # Others wait for this memory: a part of it is of no use here.
            self._to_host()
            if is_out_of_memory(error):
                raise torch.OutOfMemoryError(str(error)) from None
            raise
        self._offloaded = False

    def _to_host(self) -> None:
        self._buffers.forget()
        self._metrics.forget()
        self._move(torch.device("cpu"))
        empty_cache(self._state.device)

    def _move(self, target: torch.device) -> None:
        self._state.to(target, keep=self._on_host)
        for batches in self._batches:
            if isinstance(batches, TensorBatches):
                batches.move(target)
