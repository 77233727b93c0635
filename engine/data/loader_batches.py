"""Batches of a DataLoader with its own sampler, or of an iterable dataset: stoker cannot compute their order."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import BatchSampler, DataLoader, IterableDataset

from ..seeding import Stream, reseed, seed_for
from .batches import apply_augmentation, batch_count, to_device
from .samplers import repeats_its_order
from .stateful import measuring, state_of_dataset, stateful_dataset
from .workers import WorkerInit, end_workers

ENDED = "epoch_ended"  # key of a saved state: the epoch's stream had ended, its batches were all taken


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
        *,
        training: bool = True,
    ) -> None:
        """Read `loader` with its own sampler and workers; `augment` changes the inputs of each batch.

        Without `training` every epoch starts from the state that the dataset has now.
        """
        self._loader, self._seed, self._device, self._augment = loader, seed, device, augment
        self._restored: dict[str, Any] | None = None
        self._stateful = _stateful(loader)
        self._dataset = stateful_dataset(loader.dataset) if self._stateful is None and not loader.num_workers else None
        self._ended = self._begun = False
        self.overrun = False
        self._first = (
            None if training or self._stateful in (None, loader) else copy.deepcopy(self._stateful.state_dict())
        )
        self._first_of_dataset = (
            None if training or self._dataset is None else copy.deepcopy(self._dataset.state_dict())
        )
        if loader.num_workers and not isinstance(loader.worker_init_fn, WorkerInit):
            loader.worker_init_fn = WorkerInit(loader.worker_init_fn)
        self.inexact_reason = self._inexact_reason() if training else None

    def _inexact_reason(self) -> str | None:
        loader = self._loader
        if self._stateful is loader and loader.num_workers:
            return (
                f"`{type(loader).__name__}` reads with workers: its `state_dict` has no place of what they draw."
                " Resuming is exact only if they draw nothing; give num_workers=0 otherwise."
            )
        if self._stateful is not None:
            return None
        if isinstance(loader.dataset, IterableDataset) or not _iterates_as_torch(loader):
            owner = loader.dataset if isinstance(loader.dataset, IterableDataset) else loader
            return (
                f"`{type(owner).__name__}` has no `state_dict`: on resume its first batches are read again and"
                " skipped. This is exact only if it yields them in the same order."
            )
        if not repeats_its_order(loader):
            sampler = loader.batch_sampler if type(loader.batch_sampler) is not BatchSampler else loader.sampler
            return (
                f"`{type(sampler).__name__}` has an order of its own: under the same seed it yields another one, so a"
                " resumed epoch differs. Let it draw from the global generators, or give it `set_epoch`."
            )
        return None

    def __len__(self) -> int:
        return len(self._loader)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """Yield the batches of epoch number `epoch`, from batch number `start` on; earlier ones are read and skipped."""
        if self._first_of_dataset is None:
            yield from self._read(epoch, start)
        else:
            with measuring(self._dataset, self._first_of_dataset):
                yield from self._read(epoch, start)

    def _read(self, epoch: int, start: int) -> Iterator[Any]:
        if self._ended:  # saved after the last batch of an epoch, whose stream has begun anew since
            self._ended = False
            return
        for owner in (self._loader.sampler, self._loader.dataset):
            if hasattr(owner, "set_epoch"):
                owner.set_epoch(epoch)
        # A DataLoader draws its order and its workers' seeds from the global generator when iteration starts.
        reseed(seed_for(Stream.EPOCH, self._seed, epoch))
        skip, restored = start, self._restored is not None
        if self._restored is not None and self._stateful is not None:
            self._stateful.load_state_dict(self._restored)
            self._restored, skip = None, 0
        elif self._first is not None:
            self._stateful.load_state_dict(copy.deepcopy(self._first))
        if not skip:
            self._restore_dataset()
        batches, self._begun = iter(self._loader), True
        batch, length = start - skip, batch_count(self)
        while True:
            reseed(seed_for(Stream.DATA, self._seed, epoch, batch))
            try:
                item = next(batches)
            except StopIteration:
                if not (restored and batch == 0):
                    self._ended = False
                    return
                # The state was saved between two epochs, and some sources restore to the end of the old one: start the new one.
                batches, restored = iter(self._loader), False
                continue
            if batch == length:
                # Read, as every epoch reads on to the end of its stream, and left out.
                self.overrun = True
                return
            # A smaller last batch: the stream has come to its end, and may have rewound itself.
            self._ended = getattr(getattr(batches, "_dataset_fetcher", None), "ended", False)
            batch += 1
            if skip:
                skip -= 1
                if not skip:
                    self._restore_dataset()
            else:
                item = to_device(item, self._device)
                yield apply_augmentation(item, self._augment, self._seed, (epoch, batch - 1), self._device)

    def state(self) -> dict[str, Any] | None:
        """Return the state of the loader or dataset, if it has one."""
        if self._dataset is not None:
            state = self._restored or state_of_dataset(self._dataset)
        elif self._restored is not None:  # restored, and nothing read since
            state = self._restored
        # Asking torchdata's loader before it was read starts an iteration.
        elif self._stateful is None or (self._stateful is self._loader and not self._begun):
            return None
        else:
            state = self._stateful.state_dict()
        ended = self._ended and self._stateful is not self._loader
        return {ENDED: True, "state": state} if ended else state

    def _restore_dataset(self) -> None:
        """Load the state of a map-style data set, after the skipped batches were read."""
        if self._dataset is not None and self._restored is not None:
            self._dataset.load_state_dict(self._restored)
            self._restored = None

    def restore(self, state: dict[str, Any]) -> None:
        """Load the result of `state` when the next epoch starts."""
        self._ended = isinstance(state, dict) and state.get(ENDED) is True
        self._restored = state["state"] if self._ended else state

    def close(self) -> None:
        """End the worker processes."""
        end_workers(self._loader)


def _stateful(loader: DataLoader[Any]) -> Any:
    """Return the object with `state_dict`: the loader, or its dataset if there are no workers. None if there is none."""
    if hasattr(loader, "state_dict") and hasattr(loader, "load_state_dict"):
        return loader
    dataset = loader.dataset
    # A map-style data set does not know the place in the sampler's order.
    if loader.num_workers or not isinstance(dataset, IterableDataset):
        return None
    return dataset if hasattr(dataset, "state_dict") and hasattr(dataset, "load_state_dict") else None


def _iterates_as_torch(loader: DataLoader[Any]) -> bool:
    """Return whether the loader's order is that of its sampler, not of a method of a subclass."""
    return type(loader).__iter__ is DataLoader.__iter__ and type(loader)._get_iterator is DataLoader._get_iterator
