"""The interface of a source of batches, and functions for one batch of any form."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from ..accelerator.copy_stream import copied
from ..errors import TaskError
from ..seeding import Stream, reseed, seed_for


class Batches(Protocol):
    """The batches of every epoch, on the training device.

    A batch is a function of (seed, epoch, number of the batch) wherever that is possible. A resumed run then gets the
    same batches without reading those before them.
    """

    inexact_reason: str | None
    """Why resuming inside an epoch may not be exact; None if it is exact."""
    overrun: bool
    """The source yields more batches than its length: an epoch ends at its length."""

    def __len__(self) -> int:
        """Return the number of batches in an epoch. Raises TypeError if the data has no length."""

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """Yield the batches of epoch number `epoch`, from batch number `start` on; both count from 0."""

    def state(self) -> dict[str, Any] | None:
        """Return the state of a source that keeps its own order, for a checkpoint; None if there is none."""

    def restore(self, state: dict[str, Any]) -> None:
        """Load the result of `state`."""

    def close(self) -> None:
        """End the worker processes."""


def apply_augmentation(
    batch: Any, augment: Callable[[Any], Any] | None, seed: int, position: tuple[int, int], device: torch.device
) -> Any:
    """Return the batch with its first part replaced by `augment(batch[0])`; unchanged if `augment` is None.

    All global generators are seeded for this `position` (epoch, batch), so the result does not depend on which process
    read the batch.
    """
    if augment is None:
        return batch
    reseed(seed_for(Stream.DATA, seed, *position), device)
    return (augment(batch[0]), *batch[1:])


def to_device(batch: Any, device: torch.device) -> Any:
    """Move every part of a batch that has a method `to` to `device`, in nested lists, tuples and dicts too.

    Those are tensors, and objects such as a PackedSequence, a BatchEncoding of transformers or a graph.
    """
    if device.type == "cpu":
        return batch
    # Only CUDA orders such copies itself: on Metal the source may be gone before it is read.
    options = {"non_blocking": True} if device.type == "cuda" else {}

    def move(leaf: Any) -> Any:
        if not hasattr(leaf, "to"):
            return leaf
        kind: Any = type(leaf)
        return leaf.to(device, **(options if kind is Tensor or _takes_non_blocking(kind) else {}))

    def movable(part: Any) -> bool:
        return hasattr(part, "to")

    parts = [part for part in tree_leaves(batch, is_leaf=movable) if movable(part)]
    # Memory inside an object of another kind cannot be protected from the next copy.
    if device.type == "cuda" and all(type(part) is Tensor for part in parts):
        return copied(lambda: tree_map(move, batch), device)
    return tree_map(move, batch, is_leaf=movable)


@functools.cache
def _takes_non_blocking(kind: Any) -> bool:
    if issubclass(kind, Tensor):
        return True
    try:
        parameters = inspect.signature(kind.to).parameters
    except (TypeError, ValueError):  # a method without a signature
        return False
    return "non_blocking" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def batch_size_of(batch: Any) -> int:
    """Return the number of samples in a batch: the length of its last tensor, the targets; 1 without a tensor.

    The first dimension of the inputs may be another one: time, or the words of all samples.
    """
    if type(batch) is tuple and type(batch[-1]) is Tensor and batch[-1].dim():
        return batch[-1].size(0)
    for leaf in reversed(tree_leaves(batch)):
        if isinstance(leaf, Tensor) and leaf.dim():
            return len(leaf)
        if isinstance(leaf, Mapping):  # such as a BatchEncoding, which is no dict
            return batch_size_of(dict(leaf))
        if isinstance(graphs := getattr(leaf, "num_graphs", None), int):  # a batch of torch_geometric
            return graphs
    return 1


def split_batch(batch: Any, own: str) -> tuple[Any, Any]:
    """Return (inputs, targets) of a batch.

    Raises TaskError for a batch of any other form; it names the task's function `own` that can take such batches.
    """
    if isinstance(batch, list | tuple) and len(batch) == 2:
        return batch[0], batch[1]
    found = f"{len(batch)} parts" if isinstance(batch, list | tuple) else f"a {type(batch).__name__}"
    raise TaskError(f"a batch is {found}, not (inputs, targets): give Task({own}=…) to use it")


def call_model(model: Callable[..., Any], inputs: Any) -> Any:
    """Return the outputs of `model`; a list or tuple of inputs becomes its arguments, a dict its keywords.

    An object that moves itself, such as a PackedSequence, is one argument, even if it is a tuple.
    """
    if isinstance(inputs, list | tuple) and not hasattr(inputs, "to"):
        return model(*inputs)
    if isinstance(inputs, dict):
        return model(**inputs)
    return model(inputs)


def batch_count(batches: Batches) -> int | None:
    """Return the number of batches in an epoch; None if the data has no length."""
    try:
        return len(batches)
    except TypeError:
        return None
