"""Losses of the steps, kept on the device and read many at a time, so that no step waits for a number."""

from __future__ import annotations

import math
import operator
import time
from collections.abc import Iterator
from functools import reduce
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from ..runs.events import Steps

REPORT_INTERVAL = 0.18  # seconds between two `steps` events: at least five a second


class TimedBatches:
    """An iterator over batches that measures how long the loop waits for them. It keeps no batch alive."""

    def __init__(self, batches: Iterator[Any], log: LossLog) -> None:
        """Measure `batches` for `log`."""
        self._batches, self._log = batches, log

    def __iter__(self) -> TimedBatches:
        """Return itself."""
        return self

    def __next__(self) -> Any:
        """Return the next batch."""
        began = perf_counter()
        try:
            return next(self._batches)
        finally:
            self._log.waited += perf_counter() - began


class LossLog:
    """Collects one loss each optimizer step until `drain`."""

    def __init__(self) -> None:
        """Start empty."""
        self._losses: list[Tensor | float] = []
        self._positions: list[tuple[int, int]] = []
        self._samples = 0
        self._since = time.monotonic()
        self.waited = 0.0
        """Seconds that the loop waited for data since the last `drain`."""
        self.sum, self.count = 0.0, 0
        """Sum and number of the finite losses since the last evaluation."""

    def add(self, losses: list[Tensor | float], position: tuple[int, int], samples: int) -> None:
        """Add one step: the loss () of each of its batches, (epoch, batch) of the last batch, and its samples."""
        self._losses.append(losses[0] if len(losses) == 1 else sum(losses) / len(losses))
        self._positions.append(position)
        self._samples += samples

    def drain(self, step: int, epoch: int, lr: list[float]) -> tuple[Steps | None, list[tuple[int, int, int]]]:
        """Return the losses up to `step` as an event, and (step, epoch, batch) of each loss that is not finite.

        Synchronises with the device, so call it on a timer and before a save.
        """
        if not self._losses:
            return None, []
        losses = to_numbers(self._losses)
        positions, samples = self._positions, self._samples
        now = time.monotonic()
        seconds = max(now - self._since, 1e-9)
        rate, wait = samples / seconds, min(1.0, self.waited / seconds)
        self._losses, self._positions, self._samples, self._since, self.waited = [], [], 0, now, 0.0
        first = step - len(losses) + 1
        bad = [(first + i, *positions[i]) for i, loss in enumerate(losses) if not math.isfinite(loss)]
        good = [loss for loss in losses if math.isfinite(loss)] if bad else losses
        # One after the other, so that the sum does not depend on when the log was drained.
        self.sum = reduce(operator.add, good, self.sum)
        self.count += len(good)
        event = Steps(
            first=first, step=step, epoch=epoch, losses=losses, lr=lr, samples_per_second=rate, data_wait=wait
        )
        return event, bad

    def restart_clock(self) -> None:
        """Leave the time of a pause or an evaluation out of the throughput."""
        self._since, self.waited = time.monotonic(), 0.0

    def take_mean(self) -> float:
        """Return the mean of the finite losses since the last call; NaN if there were none."""
        mean = self.sum / self.count if self.count else math.nan
        self.sum, self.count = 0.0, 0
        return mean

    def state_dict(self) -> dict[str, Any]:
        """Return the sum and number of the losses since the last evaluation."""
        return {"sum": self.sum, "count": self.count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load the result of `state_dict`."""
        self.sum, self.count = state["sum"], state["count"]


def to_numbers(losses: list[Tensor | float]) -> list[float]:
    """Return losses as floats; those on a device are read together."""
    on_device = [loss for loss in losses if isinstance(loss, Tensor)]
    read = iter(torch.stack(on_device).tolist() if on_device else ())
    return [next(read) if isinstance(loss, Tensor) else loss for loss in losses]
