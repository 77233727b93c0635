"""Batches of tensors in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from ..seeding import order
from .batches import apply_augmentation


class TensorBatches:
    """Tensors that stay on the device and are indexed there, without a DataLoader."""

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
        self._tensors = tuple(tensor.to(device) for tensor in tensors)
        if channels_last:
            self._tensors = tuple(
                t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t for t in self._tensors
            )
        self._rows = len(tensors[0])
        self._size = min(batch_size or self._rows, self._rows)
        self._shuffle = shuffle and batch_size is not None
        self._seed, self._device, self._augment = seed, device, augment

    def __len__(self) -> int:
        return math.ceil(self._rows / self._size)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """Yield the batches of epoch number `epoch`, from batch number `start` on."""
        rows = order(self._seed, epoch, self._rows).to(self._device) if self._shuffle else None
        for batch in range(start, len(self)):
            first, end = batch * self._size, (batch + 1) * self._size
            if rows is not None:
                chosen = rows[first:end]
                tensors = tuple([tensor.index_select(0, chosen) for tensor in self._tensors])
            elif self._size == self._rows:
                tensors = self._tensors
            else:
                tensors = tuple(tensor[first:end] for tensor in self._tensors)
            if rows is None and self._augment is not None:
                tensors = (tensors[0].clone(), *tensors[1:])  # or a change in place would stay in the data
            yield apply_augmentation(tensors, self._augment, self._seed, (epoch, batch), self._device)

    def move(self, device: torch.device) -> None:
        """Move the tensors to another device; batches are made there from the next one on."""
        self._tensors = tuple(tensor.to(device) for tensor in self._tensors)

    def state(self) -> None:
        """Return None: every batch is a function of (seed, epoch, number)."""

    def restore(self, state: dict[str, Any]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing: there are no worker processes."""
