"""Batches as a function of (seed, epoch, batch): any batch of any epoch, without reading the ones before it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    TensorDataset,
    default_collate,
)

from .randomness import Stream, order, reseed, seed_for
from .workers import Started, end_workers, loader_options

EVALUATION_BATCH = 1024  # samples of in-memory data evaluated at once; small batches only cost time there


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
            yield _augmented(tensors, self._augment, self._seed, (epoch, batch), self._device)

    def move(self, device: torch.device) -> None:
        """Hold the tensors on another device; batches are taken there from the next one on."""
        self._tensors = tuple(tensor.to(device) for tensor in self._tensors)

    def state(self) -> None:
        return None

    def restore(self, state: dict[str, Any]) -> None:
        return None

    def close(self) -> None:
        return None


class _Positions(Sampler[tuple[int, int, list[int]]]):
    """The batches of one epoch as (epoch, batch, rows); set before each pass, read in the training process."""

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
    """Fetches a whole batch under its own seed, in whichever process, so that augmentation is a function too."""

    def __init__(self, dataset: Dataset[Any], collate: Callable[[list[Any]], Any], seed: int) -> None:
        self.dataset, self.collate, self.seed = dataset, collate, seed

    def __getitem__(self, position: tuple[int, int, list[int]]) -> Any:
        epoch, batch, rows = position
        reseed(seed_for(Stream.DATA, self.seed, epoch, batch))
        # As in a worker, where torch computes on one thread: a sum's last bits depend on it.
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            if hasattr(self.dataset, "__getitems__"):
                return self.collate(self.dataset.__getitems__(rows))
            return self.collate([self.dataset[row] for row in rows])
        finally:
            torch.set_num_threads(threads)


class DatasetBatches:
    """A map-style dataset read by torch's DataLoader, with workers if asked."""

    exact: str | None = None

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
        """Read `dataset` in batches; `options` are further ones of the DataLoader."""
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
        self._positions.now = (epoch, start)
        for number, batch in enumerate(self._loader, start):
            batch = to_device(batch, self._device)
            yield _augmented(batch, self._augment, self._seed, (epoch, number), self._device)

    def state(self) -> None:
        return None

    def restore(self, state: dict[str, Any]) -> None:
        return None

    def close(self) -> None:
        end_workers(self._loader)


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
                yield _augmented(item, self._augment, self._seed, (epoch, batch - 1), self._device)

    def state(self) -> dict[str, Any] | None:
        if self._restored is not None:  # nothing was read since
            return self._restored
        return self._keeper.state_dict() if self._keeper is not None else None

    def restore(self, state: dict[str, Any]) -> None:
        self._restored = state

    def close(self) -> None:
        end_workers(self._loader)


def training_batches(data: Any, settings: Any, device: torch.device, task: Any) -> Batches:
    """Return the training batches of a task's data, whatever its kind."""
    tensors = in_memory(data)
    if tensors is not None and task.collate is None and not settings.workers:
        return TensorBatches(
            tensors,
            settings.batch_size,
            settings.seed,
            device,
            shuffle=True,
            augment=task.augment,
            channels_last=settings.channels_last,
        )
    return _loaded(data, settings, device, task, shuffle=True)


def evaluation_batches(data: Any, settings: Any, device: torch.device, task: Any) -> Batches:
    """Return the evaluation batches of a task's data: in its own order, nothing augmented."""
    tensors = in_memory(data)
    if tensors is not None and task.collate is None:
        size = max(settings.batch_size or 0, EVALUATION_BATCH)
        return TensorBatches(
            tensors, size, settings.seed, device, shuffle=False, channels_last=settings.channels_last
        )
    return _loaded(data, settings, device, task, shuffle=False)


def _loaded(data: Any, settings: Any, device: torch.device, task: Any, *, shuffle: bool) -> Batches:
    collate, options = task.collate, dict(task.loader)
    augment = task.augment if shuffle else None
    if isinstance(data, DataLoader):
        if not taken_apart(data):
            return LoaderBatches(data, settings.seed, device, augment)
        shuffle = isinstance(data.sampler, RandomSampler)
        collate = collate or data.collate_fn
        options = {"drop_last": data.drop_last, "pin_memory": data.pin_memory, **options}
        if data.worker_init_fn is not None:
            options.setdefault("worker_init_fn", data.worker_init_fn)
        data = data.dataset
    if isinstance(data, IterableDataset):
        loader: DataLoader[Any] = DataLoader(
            data,
            batch_size=settings.batch_size,
            collate_fn=collate,
            **loader_options(settings.workers, options, pin_memory=device.type == "cuda"),
        )
        return LoaderBatches(loader, settings.seed, device, augment)
    if (tensors := in_memory(data)) is not None:
        data = TensorDataset(*tensors)
    return DatasetBatches(
        data,
        settings.batch_size,
        settings.seed,
        device,
        shuffle=shuffle,
        workers=settings.workers,
        collate=collate,
        augment=augment,
        options=options,
    )


def _augmented(
    batch: Any, augment: Callable[[Any], Any] | None, seed: int, place: tuple[int, int], device: torch.device
) -> Any:
    """Change a batch's inputs at random, on the device and under a seed of their own, whoever has read them."""
    if augment is None:
        return batch
    reseed(seed_for(Stream.DATA, seed, *place), device)
    return (augment(batch[0]), *batch[1:])


def in_memory(data: Any) -> tuple[Tensor, ...] | None:
    """Return the tensors of data that is nothing but tensors, or None."""
    if type(data) is TensorDataset:
        return tuple(data.tensors)
    if isinstance(data, tuple) and all(isinstance(part, Tensor) for part in data):
        return data
    return None


def taken_apart(loader: DataLoader[Any]) -> bool:
    """Say whether a loader is an ordinary one, whose order can be made a function of (seed, epoch)."""
    sampler = loader.sampler
    plain = type(sampler) is SequentialSampler or (
        type(sampler) is RandomSampler and not sampler.replacement and sampler._num_samples is None
    )
    return (
        type(loader) is DataLoader
        and not isinstance(loader.dataset, IterableDataset)
        and plain
        and type(loader.batch_sampler) is BatchSampler
    )


def to_device(batch: Any, device: torch.device) -> Any:
    """Move every tensor of a batch, whatever its structure."""
    if device.type == "cpu":
        return batch
    return tree_map(lambda leaf: leaf.to(device, non_blocking=True) if isinstance(leaf, Tensor) else leaf, batch)


def samples_in(batch: Any) -> int:
    """Return how many samples a batch has: the length of its first tensor."""
    if type(batch) is tuple and type(batch[0]) is Tensor:
        return len(batch[0]) if batch[0].dim() else 1
    for leaf in tree_leaves(batch):
        if isinstance(leaf, Tensor) and leaf.dim():
            return len(leaf)
    return 1


def _keeper(loader: DataLoader[Any]) -> Any:
    """Return who can keep the order's state: the loader itself, or its dataset where no worker holds a copy of it."""
    if hasattr(loader, "state_dict") and hasattr(loader, "load_state_dict"):
        return loader
    dataset = loader.dataset
    if not loader.num_workers and hasattr(dataset, "state_dict") and hasattr(dataset, "load_state_dict"):
        return dataset
    return None
