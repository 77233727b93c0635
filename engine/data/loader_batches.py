"""Batches of a DataLoader with its own sampler, or of an iterable dataset: stoker cannot compute their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from ..seeding import Stream, reseed, seed_for
from .batches import apply_augmentation, to_device
from .workers import WorkerInit, end_workers


class LoaderBatches:
    """A loader or iterable dataset that keeps its own order.

    Resuming is exact if the loader or dataset has `state_dict` and `load_state_dict`, or if its order depends only on
    the global generators or on `set_epoch(epoch)`.
    """

    def __init__(
        self,
        loader: DataLoader[Any],
        seed: int,
        device: torch.device,
        augment: Callable[[Any], Any] | None = None,
    ) -> None:
        """Read `loader` with its own sampler and workers; `augment` changes the inputs of each batch."""
        self._loader, self._seed, self._device, self._augment = loader, seed, device, augment
        self._restored: dict[str, Any] | None = None
        self._stateful = _stateful(loader)
        if loader.num_workers and not isinstance(loader.worker_init_fn, WorkerInit):
            loader.worker_init_fn = WorkerInit(loader.worker_init_fn)
        self.inexact_reason: str | None = None
        if self._stateful is None:
            self.inexact_reason = (
                f"`{type(loader.dataset).__name__}` has no `state_dict`: on resume its first batches are read again and"
                " skipped. This is exact only if it yields them in the same order."
            )

    def __len__(self) -> int:
        return len(self._loader)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """Yield the batches of epoch number `epoch`, from batch number `start` on; earlier ones are read and skipped."""
        for owner in (self._loader.sampler, self._loader.dataset):
            if hasattr(owner, "set_epoch"):
                owner.set_epoch(epoch)
        # A DataLoader draws its order and its workers' seeds from the global generator when iteration starts.
        reseed(seed_for(Stream.EPOCH, self._seed, epoch))
        skip, restored = start, self._restored is not None
        if self._restored is not None and self._stateful is not None:
            self._stateful.load_state_dict(self._restored)
            self._restored, skip = None, 0
        batches = iter(self._loader)
        batch = start - skip
        while True:
            reseed(seed_for(Stream.DATA, self._seed, epoch, batch))
            try:
                item = next(batches)
            except StopIteration:
                if not (restored and batch == 0):
                    return
                # The state was saved between two epochs, and some sources restore to the end of the old one: start the new one.
                batches, restored = iter(self._loader), False
                continue
            batch += 1
            if skip:
                skip -= 1
            else:
                item = to_device(item, self._device)
                yield apply_augmentation(item, self._augment, self._seed, (epoch, batch - 1), self._device)

    def state(self) -> dict[str, Any] | None:
        """Return the state of the loader or dataset, if it has one."""
        if self._restored is not None:  # restored, and nothing read since
            return self._restored
        return self._stateful.state_dict() if self._stateful is not None else None

    def restore(self, state: dict[str, Any]) -> None:
        """Load the result of `state` when the next epoch starts."""
        self._restored = state

    def close(self) -> None:
        """End the worker processes."""
        end_workers(self._loader)


def _stateful(loader: DataLoader[Any]) -> Any:
    """Return the object with `state_dict`: the loader, or its dataset if there are no workers. None if there is none."""
    if hasattr(loader, "state_dict") and hasattr(loader, "load_state_dict"):
        return loader
    dataset = loader.dataset
    if not loader.num_workers and hasattr(dataset, "state_dict") and hasattr(dataset, "load_state_dict"):
        return dataset
    return None
