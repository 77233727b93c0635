"""Batches of tensors in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from ..accelerator import memory
from ..seeding import order
from .batches import apply_augmentation

LARGEST_SHARE = 0.5  # of a device's free memory; data that needs more stays on the host


class TensorBatches:
    """Tensors that stay on the device and are indexed there, without a DataLoader.

    Data that takes more than half of a GPU's free memory stays on the host, and each batch is copied.
    """

    inexact_reason: str | None = None
    overrun = False

    def __init__(
        self,
        tensors: tuple[Tensor, ...],
        batch_size: int | None,
        seed: int,
        device: torch.device,
        *,
        shuffle: bool,
        augment: Callable[[Tensor], Tensor] | None = None,
        channels_last: bool = False,
    ) -> None:
        """Move `tensors`, each (N, …), to the device. A `batch_size` of None yields all of them at once, unshuffled."""
        self.on_host = _too_large(tensors, device)
        """The data stays on the host, because the device has too little memory for it."""
        self._place = torch.device("cpu") if self.on_host else device
        self._tensors = tuple(tensor.to(self._place) for tensor in tensors)
        if channels_last:
            self._tensors = tuple(
                t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t for t in self._tensors
            )
        self._rows = len(tensors[0])
        self._size = min(batch_size or self._rows, self._rows)
        self._shuffle = shuffle and batch_size is not None
        self._seed, self._device, self._augment = seed, device, augment
        self._order: tuple[int, Tensor] | None = None
        """Epoch, and the order of its rows (N)."""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The tensors (N, …) on their device."""
        return self._tensors

    def __len__(self) -> int:
        return math.ceil(self._rows / self._size)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """Yield the batches of epoch number `epoch`, from batch number `start` on."""
        for batch in range(start, len(self)):
            made = [self._batch(epoch, batch)]
            # Handed over without a reference here: a release of the device's memory can then free the batch.
            yield made.pop()

    def _batch(self, epoch: int, batch: int) -> Any:
        first, end = batch * self._size, (batch + 1) * self._size
        if self._shuffle:
            rows = self._order_of(epoch)[first:end]
            tensors = tuple([_select(tensor, rows) for tensor in self._tensors])
        elif self._size == self._rows:
            tensors = self._tensors
        else:
            tensors = tuple(tensor[first:end] for tensor in self._tensors)
        if self.on_host:
            tensors = tuple(_pinned(tensor).to(self._device, non_blocking=True) for tensor in tensors)
        elif self._augment is not None and not self._shuffle:
            tensors = (tensors[0].clone(), *tensors[1:])  # or a change in place would stay in the data
        return apply_augmentation(tensors, self._augment, self._seed, (epoch, batch), self._device)

    def _order_of(self, epoch: int) -> Tensor:
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, order(self._seed, epoch, self._rows).to(self._place)
        return self._order[1]

    def move(self, device: torch.device) -> None:
        """Move the tensors to another device; batches are made there from the next one on."""
        if self.on_host:
            return
        self._place = device
        self._tensors = tuple(tensor.to(device) for tensor in self._tensors)
        if self._order is not None:
            self._order = self._order[0], self._order[1].to(device)

    def halve(self) -> int | None:
        """Make the batches half as large, and return their new size; None where a batch has one sample already."""
        if self._size == 1:
            return None
        self._size = (self._size + 1) // 2
        return self._size

    def state(self) -> None:
        """Return None: every batch is a function of (seed, epoch, number)."""

    def restore(self, state: dict[str, Any]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing: there are no worker processes."""


def _select(tensor: Tensor, rows: Tensor) -> Tensor:
    """Return these rows of a tensor, of images in channels-last format in the same format."""
    if tensor.is_contiguous() or tensor.dim() != 4:
        return tensor.index_select(0, rows)
    # As (N, height, width, channels), which is contiguous: a third of the time of converting the batch.
    return tensor.permute(0, 2, 3, 1).index_select(0, rows).permute(0, 3, 1, 2)


def _too_large(tensors: tuple[Tensor, ...], device: torch.device) -> bool:
    free = memory.free(device)
    return free is not None and sum(tensor.nbytes for tensor in tensors) > LARGEST_SHARE * free


def _pinned(tensor: Tensor) -> Tensor:
    """Return a copy in pinned memory, which a GPU reads by itself; the tensor where the system gives no such memory."""
    try:
        return tensor.pin_memory()
    except RuntimeError:
        return tensor
