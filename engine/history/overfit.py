"""Whether a model overfits: an evaluated loss or metric turned while the training loss falls."""

from __future__ import annotations

import numpy as np

from .divergence import train_losses
from .fold_history import FoldHistory
from .history import RunHistory
from .series import PointSeries
from .trend import MIN_POINTS, finite, scatter_of, smooth
from .verdict import Verdict, short

CHANCE = 3.0  # standard deviations of one point, which the lowest of many means lies below the others by chance
LOSS_RISE = 0.1  # share of the lowest evaluated loss by which it has risen when the model overfits
METRIC_RISE = 0.3  # the same for what the monitored metric lacks to its best value


def overfitting(history: RunHistory) -> Verdict | None:
    """Judge the evaluated loss, then the monitored metric: one of them rises while the training loss falls."""
    early = history.early_stopping
    for metric, rise in (("loss", LOSS_RISE), *([(early.monitor, METRIC_RISE)] if early else [])):
        split, curve = evaluated(history.current, metric)
        if curve is not None and (found := _turned(history, split, metric, curve, rise)) is not None:
            return found
    return None


def _turned(history: RunHistory, split: str, metric: str, curve: PointSeries, least: float) -> Verdict | None:
    steps, values = finite(*curve.points())
    if len(values) < MIN_POINTS:
        return None
    higher = history.direction(metric) == "higher"
    # How far each value is from the best possible one.
    errors = (1 - values if values.min() >= 0 and values.max() <= 1 else -values) if higher else values
    means = smooth(errors)
    lowest = int(means.argmin())
    rise = float(errors[-3:].mean() - means[lowest])
    # Of a hundred samples no accuracy differs by less than a hundredth.
    grain = float(np.diff(np.unique(errors)).min(initial=np.inf))
    enough = max(least * abs(float(means[lowest])), CHANCE * scatter_of(errors[lowest:]), CHANCE * min(grain, 1.0))
    if lowest > len(errors) - 4 or rise < enough:
        return None
    x, y = finite(*train_losses(history.current))
    near = (steps[-1] - steps[lowest]) / 4
    then, now = y[np.abs(x - steps[lowest]) <= near], y[x >= steps[-1] - near]
    if not len(then) or not len(now) or now.mean() >= then.mean():
        return None
    best, last = smooth(values)[lowest], values[-3:].mean()
    words = f"{split} {metric} {short(best)} → {short(last)}, training loss {short(then.mean())} → {short(now.mean())}"
    return Verdict("overfitting", f"overfitting since step {int(steps[lowest]):,}: {words}")


def evaluated(fold: FoldHistory, metric: str) -> tuple[str, PointSeries | None]:
    """Return the curve of `metric` on the validation data, else on the test data, with the name of the data."""
    split = next((split for split in ("val", "test") if (split, metric) in fold.evaluated), "")
    return split, fold.evaluated.get((split, metric))
