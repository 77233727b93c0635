"""Look at data before the first step: a checksum to compare on resume, and whether it can be read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch.utils.data import DataLoader, IterableDataset

from .factory import in_memory
from .rereading import checksum, reread
from .splits import indexable
from .stateful import stateful_dataset, unwrapped

DRAWS = (
    "`{}` yields another item when it is read again under the same seed: it depends on a generator of its own, the clock, a"
    " counter or a cache. Draw from the global generators of torch, numpy or Python, or give it `state_dict` and"
    " `load_state_dict`."
)


@dataclass(frozen=True)
class Inspected:
    """The result of a look at data."""

    checksum: str = ""
    """Of the tensors, or of the length and one item; empty if there is none that another process would repeat."""
    warning: str | None = None
    """Why resuming may not be exact."""


def inspect_data(data: Any, seed: int, workers: int = 0) -> Inspected:
    """Look at training or evaluation data. No generator and no data set notices.

    Where workers read it, each of them looks (`DatasetBatches.found_by_workers`): a file that this process has opened must
    not be shared with them.
    """
    if isinstance(data, DataLoader):
        data, workers = data.dataset, max(workers, data.num_workers)
    if (tensors := in_memory(data)) is not None:
        return Inspected(f"{checksum(tensors):08x}")
    if workers or isinstance(data, IterableDataset) or not indexable(data) or stateful_dataset(data) is not None:
        return Inspected()
    number, repeats = reread(data, seed)
    if not repeats:
        return Inspected(warning=DRAWS.format(type(unwrapped(data)).__name__))
    return Inspected("" if number is None else f"{number:08x}")
