"""Whether a training loss has diverged: not finite, far above its lowest mean, or never below its start."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .fold_history import FoldHistory
from .trend import Numbers, block_means
from .verdict import Verdict, short

MIN_STEPS = 40  # steps before the training loss is judged
MOST_STEPS = 20_000  # steps that are looked at
BLOCKS = 20  # means that the training loss is reduced to
DIVERGED = 3.0  # factor over its lowest mean at which a training loss has diverged
STARTED = 0.7  # share of its first losses that a diverged loss has reached again
QUIET = 0.5  # scatter over the mean, below which the loss of one step is telling
EXPLODED = 100.0  # factor of the largest mean over the median, which no noise explains
START = 5  # steps whose mean is the first loss of a noisy run, at least; else a hundredth of all
RISEN = 1.5  # factor over its first losses that a loss reaches when it diverges from the start
BACK = 0.95  # share of its first losses below which it has recovered
NEVER_BELOW = 1.03  # factor over its first losses below which a loss never was that only diverged
NOT_FINITE = 3  # steps at the end without a finite loss from which a run has diverged


def diverged(fold: FoldHistory) -> Verdict | None:
    """Return the verdict for a diverged training loss, else None."""
    if not np.isfinite(fold.train.values[-NOT_FINITE:]).any() and fold.train.length >= NOT_FINITE:
        good = np.flatnonzero(np.isfinite(fold.train.values))
        since = fold.train.base + (int(good[-1]) + 1 if len(good) else 0)
        return Verdict("diverged", f"diverged: the loss is not finite since step {since:,}")
    x, values = train_losses(fold)
    if np.isfinite(values).sum() < MIN_STEPS:
        return None
    steps, means = block_means(x, values, BLOCKS)
    start = _first_loss(values, means)
    last, lowest = float(means[-2:].mean()), int(means.argmin())
    if start <= 0 or means[lowest] <= 0:
        return None  # a ratio says nothing about a loss that can be negative
    if last > DIVERGED * means[lowest] and last > STARTED * start:
        return Verdict(
            "diverged",
            f"diverged since step {int(steps[lowest]):,}: training loss {short(means[lowest])} → {short(last)}",
        )
    spiked = max(float(means.max()), last) > RISEN * start and last > BACK * start
    if spiked or means[lowest] > NEVER_BELOW * start:
        return Verdict("diverged", f"diverged from the start: training loss {short(start)} → {short(last)}")
    return None


def _first_loss(values: NDArray[np.float32], means: Numbers) -> float:
    """Return the loss of the untrained model: that of the first step, or a mean where one step says little."""
    late = values[len(values) // 2 :]
    late = late[np.isfinite(late)]
    quiet = len(late) > 0 and float(late.std()) < QUIET * abs(float(late.mean()))
    good = values[np.isfinite(values)]
    exploded = float(means.max()) > EXPLODED * float(np.median(means))
    return float(good[: 1 if quiet or exploded else max(START, len(good) // 100)].mean())


def train_losses(fold: FoldHistory) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return steps (n,) and training losses (n,), every k-th of a long run: it is judged many times."""
    every = fold.train.length // MOST_STEPS + 1
    steps = np.arange(fold.train.base, fold.train.base + fold.train.length, every, dtype=np.int64)
    return steps, fold.train.values[::every]
