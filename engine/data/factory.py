"""Choose how to read a task's data: tensors in memory, a map-style dataset, or a loader that keeps its own order."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, RandomSampler, SequentialSampler, TensorDataset

from ..config.settings import Settings
from ..errors import TaskError
from .batches import Batches
from .dataset_batches import DatasetBatches
from .loader_batches import LoaderBatches
from .tensor_batches import TensorBatches
from .workers import loader_options

EVALUATION_BATCH = 1024  # samples of in-memory data evaluated at once: smaller batches only cost time there

Collate = Callable[[list[Any]], Any] | None
Augment = Callable[[Any], Any] | None


def training_batches(
    data: Any,
    settings: Settings,
    device: torch.device,
    *,
    augment: Augment = None,
    collate: Collate = None,
    options: Mapping[str, Any] | None = None,
) -> Batches:
    """Return shuffled training batches of `data`, whatever its kind, on `device`.

    `augment` changes the inputs of each batch, `collate` builds a batch from items, `options` are more options of the
    DataLoader.
    """
    tensors = in_memory(data)
    if tensors is not None and collate is None and not settings.workers:
        return TensorBatches(
            tensors,
            settings.batch_size,
            settings.seed,
            device,
            shuffle=True,
            augment=augment,
            channels_last=settings.channels_last,
        )
    return _from_loader(data, settings, device, augment, collate, options, shuffle=True)


def evaluation_batches(
    data: Any,
    settings: Settings,
    device: torch.device,
    *,
    train: Any = None,
    collate: Collate = None,
    options: Mapping[str, Any] | None = None,
) -> Batches:
    """Return evaluation batches of `data`: in its own order, without augmentation.

    A stream with a state that is also `train` is copied, so that an evaluation does not move the training's place.
    """
    data = _apart(data, train)
    tensors = in_memory(data)
    if tensors is not None and collate is None:
        size = max(settings.batch_size or 0, EVALUATION_BATCH)
        return TensorBatches(tensors, size, settings.seed, device, shuffle=False, channels_last=settings.channels_last)
    return _from_loader(data, settings, device, None, collate, options, shuffle=False)


def _from_loader(
    data: Any,
    settings: Settings,
    device: torch.device,
    augment: Augment,
    collate: Collate,
    given: Mapping[str, Any] | None,
    *,
    shuffle: bool,
) -> Batches:
    options, training = dict(given or {}), shuffle
    if isinstance(data, DataLoader):
        if not is_plain_loader(data):
            return LoaderBatches(data, settings.seed, device, augment, training=shuffle)
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
        return LoaderBatches(loader, settings.seed, device, augment, training=shuffle)
    if (tensors := in_memory(data)) is not None:
        data = TensorDataset(*tensors)
        # As without workers: the number of workers must not matter.
        shuffle = shuffle and settings.batch_size is not None
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
        training=training,
    )


def _apart(data: Any, train: Any) -> Any:
    """Return `data`, or a copy of it where it is a stream with a state that `train` reads too. Raises TaskError."""
    stream, other = (part.dataset if isinstance(part, DataLoader) else part for part in (data, train))
    if stream is not other or not isinstance(stream, IterableDataset) or not hasattr(stream, "load_state_dict"):
        return data
    try:
        return copy.deepcopy(data)
    except Exception as error:  # the user's object may refuse to be copied in any way
        name = type(stream).__name__
        raise TaskError(
            f"`{name}` is both train and test data and cannot be copied: give each its own {name}"
        ) from error


def in_memory(data: Any) -> tuple[Tensor, ...] | None:
    """Return the tensors of data that consists of tensors alone, each (N, …); None for any other data."""
    if type(data) is TensorDataset:
        return tuple(data.tensors)
    if isinstance(data, tuple) and all(isinstance(part, Tensor) for part in data):
        return data
    return None


def is_plain_loader(loader: DataLoader[Any]) -> bool:
    """Return whether `loader` is an ordinary one, whose order can be made a function of (seed, epoch)."""
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
