"""Release the device memory of a paused training: its state moves to the host, and returns bit for bit."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..accelerator.memory import empty_cache, is_out_of_memory, reserved
from ..data.batches import Batches
from ..data.tensor_batches import TensorBatches
from ..evaluation.metrics import Metrics
from ..tasks.own_state import tensors_of
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
        self._others: list[Tensor] = []
        """Tensors of the task's own that left the device."""
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
        self._others = [tensor for tensor in self._own_tensors() if tensor.device.type == device.type]
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

    def _own_tensors(self) -> list[Tensor]:
        """Return the tensors of the task's `state`, and parameters of the optimizer that are not the model's."""
        moved = set(map(id, self._state.model.parameters()))
        others = [parameter for parameter in self._state.trained_parameters if id(parameter) not in moved]
        return others + [tensor for value in self._state.named.values() for tensor in tensors_of(value)]

    def _move(self, target: torch.device) -> None:
        self._state.to(target, keep=self._on_host)
        for tensor in self._others:
            tensor.data = tensor.data.to(target)  # the same object, which the task's code holds
            if tensor.grad is not None:
                tensor.grad.data = tensor.grad.data.to(target)
        for batches in self._batches:
            if isinstance(batches, TensorBatches):
                batches.move(target)
