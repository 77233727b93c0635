"""Map-style data sets that keep a state: a cache, a counter, a curriculum."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader, IterableDataset, Subset

_before: dict[int, Any] = {}
"""State of each data set that an evaluation reads now, from before the evaluation, by id."""


def unwrapped(data: Any) -> Any:
    """Return the data set behind a DataLoader and Subsets."""
    while isinstance(data, DataLoader | Subset):
        data = data.dataset
    return data


def stateful_dataset(dataset: Any) -> Any:
    """Return the map-style data set with `state_dict` and `load_state_dict`, also behind a Subset; None if it has none."""
    dataset = unwrapped(dataset)
    stateful = hasattr(dataset, "state_dict") and hasattr(dataset, "load_state_dict")
    return dataset if stateful and not isinstance(dataset, IterableDataset) else None


def state_of_dataset(dataset: Any) -> Any:
    """Return the state of a data set, during an evaluation the one from before it."""
    return _before[id(dataset)] if id(dataset) in _before else dataset.state_dict()


@contextlib.contextmanager
def measuring(dataset: Any, first: Any) -> Iterator[None]:
    """Read a data set from the state `first` during an evaluation; afterwards it has its own state again.

    The training may read the same data set, and no evaluation may depend on those before it.
    """
    _before[id(dataset)] = copy.deepcopy(dataset.state_dict())
    try:
        dataset.load_state_dict(copy.deepcopy(first))
        yield
    finally:
        dataset.load_state_dict(_before.pop(id(dataset)))
