"""Batches of a map-style dataset. Each is fetched under its own seed, in the training process or in a worker."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

from ..seeding import Stream, order, reseed, seed_for
from .batches import apply_augmentation, to_device
from .stateful import stateful_dataset
from .workers import end_workers, loader_options


class _Positions(Sampler[tuple[int, int, list[int]]]):
    """Yields the batches of one epoch as (epoch, number of the batch, rows of the dataset).

    Set `now` to (epoch, first batch) before each pass; the training process reads it.
    """

    def __init__(self, rows: int, size: int, seed: int, *, shuffle: bool, drop_last: bool) -> None:
        self.rows, self.size, self.seed, self.shuffle = rows, size, seed, shuffle
        self.batches = rows // size if drop_last else math.ceil(rows / size)
        self.now = (0, 0)

    def __iter__(self) -> Iterator[tuple[int, int, list[int]]]:
        epoch, start = self.now
        rows = (order(self.seed, epoch, self.rows) if self.shuffle else torch.arange(self.rows)).tolist()
        for batch in range(start, self.batches):
            yield epoch, batch, rows[batch * self.size : (batch + 1) * self.size]


class _Reseeded(Dataset[Any]):
    """Fetches a whole batch under its own seed, so that random transforms do not depend on the process."""

    def __init__(self, dataset: Dataset[Any], collate: Callable[[list[Any]], Any], seed: int) -> None:
        self.dataset, self.collate, self.seed = dataset, collate, seed

    def __getitem__(self, position: tuple[int, int, list[int]]) -> Any:
        epoch, batch, rows = position
        reseed(seed_for(Stream.DATA, self.seed, epoch, batch))
        # As in a worker, where torch uses one thread: the last bits of a sum depend on the number.
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            if hasattr(self.dataset, "__getitems__"):
                return self.collate(self.dataset.__getitems__(rows))
            return self.collate([self.dataset[row] for row in rows])
        finally:
            torch.set_num_threads(threads)


class DatasetBatches:
    """A map-style dataset read by torch's DataLoader, with or without worker processes."""

    overrun = False

    def __init__(
        self,
        dataset: Dataset[Any],
        batch_size: int | None,
        seed: int,
        device: torch.device,
        *,
        shuffle: bool,
        workers: int = 0,
        collate: Callable[[list[Any]], Any] | None = None,
        augment: Callable[[Any], Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Read `dataset` in batches of `batch_size`, None for all of it at once.

        `collate` builds a batch of items, `augment` changes its inputs, `options` are more options of the DataLoader.
        """
        self._stateful = stateful_dataset(dataset)
        self.inexact_reason: str | None = None
        if self._stateful is not None and workers:
            self.inexact_reason = (
                f"`{type(self._stateful).__name__}` has a `state_dict`, but each worker changes a copy of its own, which"
                " is in no checkpoint. Give --workers 0 to resume exactly."
            )
            self._stateful = None
        options = dict(options or {})
        rows = len(dataset)  # type: ignore[arg-type]
        drop_last = options.pop("drop_last", False)
        self._positions = _Positions(rows, min(batch_size or rows, rows), seed, shuffle=shuffle, drop_last=drop_last)
        self._device, self._seed, self._augment = device, seed, augment
        self._loader = DataLoader(
            _Reseeded(dataset, collate or default_collate, seed),
            batch_size=None,
            sampler=self._positions,
            **loader_options(workers, options, pin_memory=device.type == "cuda"),
        )

    def __len__(self) -> int:
        return self._positions.batches

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """Yield the batches of epoch number `epoch`, from batch number `start` on."""
        self._positions.now = (epoch, start)
        for number, read in enumerate(self._loader, start):
            batch = to_device(read, self._device)
            yield apply_augmentation(batch, self._augment, self._seed, (epoch, number), self._device)

    def state(self) -> dict[str, Any] | None:
        """Return the data set's own state, if it has one; every batch is a function of (seed, epoch, number)."""
        return None if self._stateful is None else self._stateful.state_dict()

    def restore(self, state: dict[str, Any]) -> None:
        """Load the result of `state`."""
        if self._stateful is not None:
            self._stateful.load_state_dict(state)

    def close(self) -> None:
        """End the worker processes."""
        end_workers(self._loader)
