"""What reads a task's data, whatever its kind."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, RandomSampler, SequentialSampler, TensorDataset

from .batches import Batches, TensorBatches
from .dataset_batches import DatasetBatches
from .loader_batches import LoaderBatches
from .workers import loader_options

EVALUATION_BATCH = 1024  # samples of in-memory data evaluated at once; small batches only cost time there


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
        return TensorBatches(tensors, size, settings.seed, device, shuffle=False, channels_last=settings.channels_last)
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
