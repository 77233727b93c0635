"""A loader's batches as a function of (seed, epoch, batch), so that a loop can start in the middle of an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from ..config.settings import Settings
from ..data.batches import Batches, batch_count
from ..data.factory import in_memory, is_plain_loader, training_batches
from ..errors import RequestError
from ..seeding import Stream, reseed, seed_for

CPU = torch.device("cpu")


def batches_of(loader: Any, seed: int) -> Batches:
    """Return the batches of `loader` on the CPU, in an order by (seed, epoch). Raises RequestError for an iterator.

    A plain DataLoader over tensors or a map-style dataset starts anywhere without reading what comes before. Another
    loader keeps its own order, and an iterable without a length or `__getitem__` is read and skipped.
    """
    if isinstance(loader, DataLoader):
        settings = Settings(batch_size=loader.batch_size, seed=seed, workers=loader.num_workers)
        plain = is_plain_loader(loader) and not loader.num_workers and loader.batch_size is not None
        tensors = in_memory(loader.dataset) if plain and not loader.drop_last and _collates_as_usual(loader) else None
        return training_batches(_shuffled(loader, tensors), settings, CPU)
    if isinstance(loader, Iterator) or not hasattr(loader, "__iter__"):
        raise RequestError(
            f"run.batches() needs a loader that can be iterated again, not a {type(loader).__name__}:"
            " give the DataLoader itself"
        )
    return _Iterable(loader, seed)


def rows_of(loader: Any) -> int | None:
    """Return the length of a loader's data set, or None where it has none."""
    try:
        return len(loader.dataset)
    except (AttributeError, TypeError, NotImplementedError):
        return None


def _collates_as_usual(loader: DataLoader[Any]) -> bool:
    return loader.collate_fn is torch.utils.data.default_collate


def _shuffled(loader: DataLoader[Any], tensors: Any) -> Any:
    """Return what is read: tensors that are batched in memory, if the loader shuffles them, else the loader."""
    return tensors if tensors is not None and type(loader.sampler).__name__ == "RandomSampler" else loader


class _Iterable:
    """Anything that can be iterated again; its batches before `start` are read and skipped."""

    overrun = False

    def __init__(self, items: Any, seed: int) -> None:
        self._items, self._seed = items, seed
        self.inexact_reason: str | None = (
            f"`{type(items).__name__}` is not a DataLoader: on resume its first batches are read again and skipped."
            " This is exact only if it yields them in the same order."
        )

    def __len__(self) -> int:
        return len(self._items)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        reseed(seed_for(Stream.EPOCH, self._seed, epoch))
        for number, batch in enumerate(self._items):
            if number >= start:
                yield batch

    def state(self) -> None:
        return None

    def restore(self, state: dict[str, Any]) -> None:
        return None

    def close(self) -> None:
        return None


__all__ = ["batch_count", "batches_of", "rows_of"]
