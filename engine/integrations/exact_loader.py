"""A loader whose order is a function of (seed, epoch), and that starts in the middle of an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..data.batches import batch_count
from ..loop.loader import batches_of


class ExactLoader:
    """The batches of a DataLoader, for a library that saves and loads the `state_dict` of its loader.

    A plain DataLoader over a map-style dataset starts anywhere without reading what comes before.
    """

    def __init__(self, loader: Any, seed: int = 0) -> None:
        """Read `loader`, in an order by `seed` and the epoch. Raises RequestError for an iterator."""
        self.dataset = getattr(loader, "dataset", None)
        self.batch_size = getattr(loader, "batch_size", None)
        self.sampler = self
        """Has `set_epoch`, which the library calls."""
        self.batches = batches_of(loader, seed)
        self._count = batch_count(self.batches)
        self._epoch = self._taken = self._start = 0

    def set_epoch(self, epoch: int) -> None:
        """Give the order of this epoch from the next iterator on."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Return the number of batches in an epoch. Raises TypeError where it is not known."""
        if self._count is None:
            raise TypeError("this loader has no length")
        return self._count

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches of the epoch; the first time after `load_state_dict` those that are left."""
        # A generator: the epoch is read at the first batch, after the library has set it.
        self._taken, self._start = self._start, 0
        for batch in self.batches.epoch(self._epoch, self._taken):
            self._taken += 1
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """Return how many batches of the epoch were given out."""
        taken = self._taken % self._count if self._count else self._taken
        return {"batch": taken, "loader": self.batches.state()}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Continue behind the batches that were given out."""
        self._start = saved["batch"]
        if saved["loader"] is not None:
            self.batches.restore(saved["loader"])


def exact(loader: Any, seed: int = 0) -> ExactLoader:
    """Return `loader` as one that a resumed training reads on from where it was, bit for bit."""
    return ExactLoader(loader, seed)
