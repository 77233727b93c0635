"""Batches as a function of (seed, epoch, batch): any batch of any epoch, without reading the ones before it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from ..errors import TaskError
from ..seeding import Stream, order, reseed, seed_for


class Batches(Protocol):
    """Where the loop takes its batches from."""

    exact: str | None
    """Why resuming inside an epoch may not be exact, or None where it is."""

    def __len__(self) -> int:
        """Batches in an epoch; raises TypeError where that is not known."""

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """Yield the batches of `epoch` from number `start` on."""

    def state(self) -> dict[str, Any] | None:
        """Return what the source itself must keep to go on from here, if anything."""

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""

    def close(self) -> None:
        """Let the processes that read for it end."""


class TensorBatches:
    """In-memory tensors, held on the device and batched there."""

    exact: str | None = None

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
        rows = order(self._seed, epoch, self._rows).to(self._device) if self._shuffle else None
        for batch in range(start, len(self)):
            first, end = batch * self._size, (batch + 1) * self._size
            if rows is not None:
                tensors = tuple(tensor.index_select(0, rows[first:end]) for tensor in self._tensors)
            elif self._size == self._rows:
                tensors = self._tensors
            else:
                tensors = tuple(tensor[first:end] for tensor in self._tensors)
            if rows is None and self._augment is not None:
                tensors = (tensors[0].clone(), *tensors[1:])  # or changes made in place would stay in the data
            yield augmented(tensors, self._augment, self._seed, (epoch, batch), self._device)

    def move(self, device: torch.device) -> None:
        """Hold the tensors on another device; batches are taken there from the next one on."""
        self._tensors = tuple(tensor.to(device) for tensor in self._tensors)

    def state(self) -> None:
        return None

    def restore(self, state: dict[str, Any]) -> None:
        return None

    def close(self) -> None:
        return None


def augmented(
    batch: Any, augment: Callable[[Any], Any] | None, seed: int, place: tuple[int, int], device: torch.device
) -> Any:
    """Change a batch's inputs at random, on the device and under a seed of their own, whoever has read them."""
    if augment is None:
        return batch
    reseed(seed_for(Stream.DATA, seed, *place), device)
    return (augment(batch[0]), *batch[1:])


def to_device(batch: Any, device: torch.device) -> Any:
    """Move every tensor of a batch, whatever its structure."""
    if device.type == "cpu":
        return batch
    return tree_map(lambda leaf: leaf.to(device, non_blocking=True) if isinstance(leaf, Tensor) else leaf, batch)


def samples_in(batch: Any) -> int:
    """Return how many samples a batch has: the length of its last tensor, the targets.

    Inputs may have another first dimension: time, or the words of all samples.
    """
    if type(batch) is tuple and type(batch[-1]) is Tensor and batch[-1].dim():
        return batch[-1].size(0)
    for leaf in reversed(tree_leaves(batch)):
        if isinstance(leaf, Tensor) and leaf.dim():
            return len(leaf)
    return 1


def pair(batch: Any, own: str) -> tuple[Any, Any]:
    """Return inputs and targets. Raises TaskError, which names the function of one's `own` that takes other batches."""
    if isinstance(batch, list | tuple) and len(batch) == 2:
        return batch[0], batch[1]
    found = f"{len(batch)} parts" if isinstance(batch, list | tuple) else f"a {type(batch).__name__}"
    raise TaskError(f"a batch is {found}, not (inputs, targets): give Task({own}=…) to use it")
