"""Map-style data sets that keep a state: a cache, a counter, a curriculum."""

from __future__ import annotations

from typing import Any

from torch.utils.data import IterableDataset, Subset


def stateful_dataset(dataset: Any) -> Any:
    """Return the map-style data set with `state_dict` and `load_state_dict`, also behind a Subset; None if it has none."""
    while isinstance(dataset, Subset):
        dataset = dataset.dataset
    stateful = hasattr(dataset, "state_dict") and hasattr(dataset, "load_state_dict")
    return dataset if stateful and not isinstance(dataset, IterableDataset) else None
