"""The losses of the steps, kept where they were computed and fetched many at a time, so that no step waits for one."""

from __future__ import annotations

import math
import operator
import time
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from ..errors import TrainingError
from ..runs.events import Steps

SPEAK = 0.18  # seconds between two `steps` events, so that there are at least five a second


class LossLog:
    """Collects one loss each optimizer step until the clock asks for them."""

    def __init__(self) -> None:
        """Begin with nothing collected."""
        self._losses: list[Tensor | float] = []
        self._places: list[tuple[int, int]] = []
        self._samples = 0
        self._since = time.monotonic()
        self.sum, self.count = 0.0, 0
        """Of the finite losses since the last evaluation."""

    def add(self, losses: list[Tensor | float], place: tuple[int, int], samples: int) -> None:
        """Take in one step: the losses () of its batches, (epoch, batch) of the last one, and its samples."""
        self._losses.append(losses[0] if len(losses) == 1 else sum(losses) / len(losses))
        self._places.append(place)
        self._samples += samples

    def fetch(self, step: int, epoch: int, lr: list[float]) -> tuple[Steps | None, list[tuple[int, int, int]]]:
        """Return what was collected up to `step` as an event, and (step, epoch, batch) of each loss not finite.

        A synchronisation point on a device: called on the clock, and before a save.
        """
        if not self._losses:
            return None, []
        losses = numbers(self._losses)
        places, samples = self._places, self._samples
        now = time.monotonic()
        rate = samples / max(now - self._since, 1e-9)
        self._losses, self._places, self._samples, self._since = [], [], 0, now
        first = step - len(losses) + 1
        bad = [(first + i, *places[i]) for i, loss in enumerate(losses) if not math.isfinite(loss)]
        good = [loss for loss in losses if math.isfinite(loss)] if bad else losses
        # One after the other, so that the sum does not depend on when it was fetched.
        self.sum = reduce(operator.add, good, self.sum)
        self.count += len(good)
        return Steps(first=first, step=step, epoch=epoch, losses=losses, lr=lr, samples_per_second=rate), bad

    def restart_clock(self) -> None:
        """Leave the time of a pause or an evaluation out of the throughput."""
        self._since = time.monotonic()

    def take_mean(self) -> float:
        """Return the mean of the finite losses since the last call; NaN if there were none."""
        mean = self.sum / self.count if self.count else math.nan
        self.sum, self.count = 0.0, 0
        return mean


def numbers(losses: list[Tensor | float]) -> list[float]:
    """Return losses as plain numbers; those still on a device are fetched together."""
    on_device = [loss for loss in losses if isinstance(loss, Tensor)]
    fetched = iter(torch.stack(on_device).tolist() if on_device else ())
    return [next(fetched) if isinstance(loss, Tensor) else loss for loss in losses]


def check(loss: Any, source: str) -> None:
    """Refuse what is no loss (), for `source`, the name of what returned it. Raises TrainingError."""
    if isinstance(loss, Tensor) and loss.numel() == 1:
        return
    found = f"tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
    raise TrainingError(f"the task's {source} must return the loss as a tensor of one number, not a {found}")
