"""Batches of a map-style dataset. Each is fetched under its own seed, in the training process or in a worker."""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

from ..seeding import Stream, order, reseed, seed_for
from .batches import apply_augmentation, to_device
from .rereading import reread
from .stateful import measuring, state_of_dataset, stateful_dataset, unwrapped
from .workers import end_workers, loader_options

NUMBERS = (int, float)


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
    """Fetches a whole batch under its own seed, so that random transforms do not depend on the process.

    A worker tells in memory that the processes share: by `draws`, that an item is not repeated under one seed, and by
    `changed`, which numbers of the data set it has changed.
    """

    def __init__(self, dataset: Dataset[Any], collate: Callable[[list[Any]], Any], seed: int, *, shared: bool) -> None:
        self.dataset, self.collate, self.seed = dataset, collate, seed
        self.owner = unwrapped(dataset)
        numbers = {name: value for name, value in getattr(self.owner, "__dict__", {}).items() if type(value) in NUMBERS}
        self.numbers = numbers if shared else {}
        self.changed = torch.zeros(len(self.numbers), dtype=torch.uint8)
        self.draws = torch.zeros(1, dtype=torch.uint8)
        self.looked = not shared
        if shared:
            self.draws.share_memory_()  # type: ignore[no-untyped-call]
        if self.numbers:
            self.changed.share_memory_()  # type: ignore[no-untyped-call]

    def __getitem__(self, position: tuple[int, int, list[int]]) -> Any:
        epoch, batch, rows = position
        if not self.looked:
            self.looked = True
            if not reread(self.dataset, self.seed)[1]:
                self.draws[0] = 1
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
            for number, (name, value) in enumerate(self.numbers.items()):
                if vars(self.owner).get(name) != value:
                    self.changed[number] = 1


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
        training: bool = True,
    ) -> None:
        """Read `dataset` in batches of `batch_size`, None for all of it at once.

        Without `training` every epoch starts from the state that the dataset has now, and leaves the dataset's as it was.

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
        self._first = None if training or self._stateful is None else copy.deepcopy(self._stateful.state_dict())
        options = dict(options or {})
        rows = len(dataset)  # type: ignore[arg-type]
        drop_last = options.pop("drop_last", False)
        self._positions = _Positions(rows, min(batch_size or rows, rows), seed, shuffle=shuffle, drop_last=drop_last)
        self._device, self._seed, self._augment = device, seed, augment
        shared = workers > 0 and self._stateful is None
        self._reader = _Reseeded(dataset, collate or default_collate, seed, shared=shared)
        self._loader = DataLoader(
            self._reader,
            batch_size=None,
            sampler=self._positions,
            **loader_options(workers, options, pin_memory=device.type == "cuda"),
        )

    def __len__(self) -> int:
        return self._positions.batches

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """Yield the batches of epoch number `epoch`, from batch number `start` on."""
        self._positions.now = (epoch, start)
        apart = contextlib.nullcontext() if self._first is None else measuring(self._stateful, self._first)
        with apart:
            yield from self._read(epoch, start)

    def _read(self, epoch: int, start: int) -> Iterator[Any]:
        for number, read in enumerate(self._loader, start):
            batch = to_device(read, self._device)
            yield apply_augmentation(batch, self._augment, self._seed, (epoch, number), self._device)

    def found_by_workers(self) -> tuple[bool, list[str]]:
        """Return whether an item is not repeated under one seed, and the data set's numbers that a worker has changed."""
        reader = self._reader
        changed = [name for name, flag in zip(reader.numbers, reader.changed.tolist(), strict=True) if flag]
        return bool(reader.draws[0]), changed

    def state(self) -> dict[str, Any] | None:
        """Return the data set's own state, if it has one; every batch is a function of (seed, epoch, number)."""
        return None if self._stateful is None else state_of_dataset(self._stateful)

    def restore(self, state: dict[str, Any]) -> None:
        """Load the result of `state`."""
        if self._stateful is not None:
            self._stateful.load_state_dict(state)

    def close(self) -> None:
        """End the worker processes."""
        end_workers(self._loader)
