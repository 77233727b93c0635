"""A data set and a collate function whose random draws depend on (seed, epoch, first row of the batch) alone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.data import Dataset, get_worker_info

from ..seeding import Stream, generators_kept, reseed, seed_for


class ExactData:
    """Makes two stand-ins that a library's loader uses in place of a data set and its collate function."""

    def __init__(self, data: Any, collate: Callable[[list[Any]], Any], seed: int) -> None:
        """Read `data`, which needs a length and `__getitem__`; its random draws and those of `collate` are seeded."""
        # In shared memory, because worker processes read it too.
        self.epoch: torch.Tensor = torch.zeros((), dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]
        """The epoch that is read; set it before the loader's iterator is made."""
        self.dataset = _Deferred(data)
        self._collate, self._seed = collate, seed

    def collate(self, rows: Sequence[Any]) -> Any:
        """Return the batch of these rows of `dataset`; rows of another data set are collated as usual."""
        if not (rows and isinstance(rows[0], _Row)):
            return self._collate(list(rows))
        # In the main process the training draws from the same generators.
        with generators_kept() if get_worker_info() is None else contextlib.nullcontext():
            reseed(seed_for(Stream.DATA, self._seed, int(self.epoch), rows[0].index))
            return self._collate([row.data[row.index] for row in rows])


class _Row:
    """A row that is read when its batch is made, so that one seed covers the whole batch."""

    def __init__(self, data: Any, index: int) -> None:
        self.data, self.index = data, index


class _Deferred(Dataset[_Row]):
    def __init__(self, data: Any) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: int) -> _Row:
        return _Row(self._data, int(index))
