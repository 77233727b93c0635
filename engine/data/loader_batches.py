"""Batches of a loader or an iterable dataset that keeps its own order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from ..seeding import Stream, reseed, seed_for
from .batches import augmented, to_device
from .workers import Started, end_workers


class LoaderBatches:
    """A loader or iterable dataset that keeps its own order; exact as far as it is a function of its seed or state."""

    def __init__(
        self,
        loader: DataLoader[Any],
        seed: int,
        device: torch.device,
        augment: Callable[[Any], Any] | None = None,
    ) -> None:
        """Read `loader` as it is."""
        self._loader, self._seed, self._device, self._augment = loader, seed, device, augment
        self._restored: dict[str, Any] | None = None
        self._keeper = _keeper(loader)
        if loader.num_workers and not isinstance(loader.worker_init_fn, Started):
            loader.worker_init_fn = Started(loader.worker_init_fn)
        self.exact: str | None = None
        if self._keeper is None:
            self.exact = (
                f"{type(loader.dataset).__name__} keeps no state (state_dict, load_state_dict): on resume the batches"
                " before the saved one are read again, which is exact only if it yields the same ones"
            )

    def __len__(self) -> int:
        return len(self._loader)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        for owner in (self._loader.sampler, self._loader.dataset):
            if hasattr(owner, "set_epoch"):
                owner.set_epoch(epoch)
        # A DataLoader draws its order and its workers' seeds from the global generator when it is iterated.
        reseed(seed_for(Stream.EPOCH, self._seed, epoch))
        skip, restored = start, self._restored is not None
        if self._restored is not None and self._keeper is not None:
            self._keeper.load_state_dict(self._restored)
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
                # Saved between two epochs, where some sources stand at their end: this epoch begins.
                batches, restored = iter(self._loader), False
                continue
            batch += 1
            if skip:
                skip -= 1
            else:
                item = to_device(item, self._device)
                yield augmented(item, self._augment, self._seed, (epoch, batch - 1), self._device)

    def state(self) -> dict[str, Any] | None:
        if self._restored is not None:  # nothing was read since
            return self._restored
        return self._keeper.state_dict() if self._keeper is not None else None

    def restore(self, state: dict[str, Any]) -> None:
        self._restored = state

    def close(self) -> None:
        end_workers(self._loader)


def _keeper(loader: DataLoader[Any]) -> Any:
    """Return who can keep the order's state: the loader itself, or its dataset where no worker holds a copy of it."""
    if hasattr(loader, "state_dict") and hasattr(loader, "load_state_dict"):
        return loader
    dataset = loader.dataset
    if not loader.num_workers and hasattr(dataset, "state_dict") and hasattr(dataset, "load_state_dict"):
        return dataset
    return None
