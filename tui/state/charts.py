"""The plots of a run in their order, and the markers on their x axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stoker.engine.history.fold_history import FoldHistory
from stoker.engine.history.history import RunHistory
from stoker.engine.history.series import PointSeries, Series, StepSeries

from ..plotting.curve_cache import CurveCache

NamedSeries = tuple[str, Series]
ShownFold = int | None | Literal["all"]
"""The number of the shown fold; None for a run without folds, ALL for the mean of all folds."""
_Source = Callable[[FoldHistory], Series]
ALL: Literal["all"] = "all"
EMPTY = PointSeries()
LOSS, LEARNING_RATE = "loss", "learning rate"
ENDS = 10  # steps whose mean is the first loss, and the newest one
TREND_POINTS, STEADY = 2, 0.005  # points that a trend compares at least; share of the value that is no trend
BECOMES_LOG, STAYS_LOG = 10.0, 5.0  # factors by which a loss fell on a log axis
LEARNING_RATE_COLOR = 4  # index of the curve's colour


@dataclass(frozen=True)
class Chart:
    """One plot. Colours are indices of the palette of curves."""

    name: str
    curves: tuple[NamedSeries, ...]
    first_color: int = 0
    background: tuple[tuple[int, Series], ...] = ()
    """Colour and curve of the dimmer curves behind `curves`."""
    bands: tuple[tuple[int, Series, Series], ...] = ()
    """Colour, lower edge and upper edge of the bands behind everything."""
    smoothed: bool = False
    points: bool = False
    """Mark the evaluations on their curves."""
    empty: str = "No evaluation yet."
    """The note of a plot without points."""


def fold_of(history: RunHistory, shown: ShownFold) -> FoldHistory:
    """Return the shown fold; for ALL the longest one, which has every step."""
    if shown == ALL:
        return max(history.folds.values(), key=lambda fold: fold.train.last_step)
    return history.folds[shown]


def charts_of(history: RunHistory, shown: ShownFold, cache: CurveCache, empty: str) -> list[Chart]:
    """Return the plots: one fold with the band of the others behind it, or the mean of all folds.

    `empty` is the note of the loss and of the learning rate before the first step.
    """
    fold = fold_of(history, shown)
    banded = [other for other in history.folds.values() if shown == ALL or other is not fold]
    splits = list(dict.fromkeys(split for split, _ in fold.evaluated))
    metrics = list(dict.fromkeys(metric for _, metric in fold.evaluated if metric != LOSS))

    def chart(name: str, first_color: int, sources: dict[str, _Source], empty: str) -> Chart:
        curves: list[NamedSeries] = []
        background: list[tuple[int, Series]] = []
        bands: list[tuple[int, Series, Series]] = []
        for color, (label, source) in enumerate(sources.items(), first_color):
            mean, low, high = cache.band([source(other) for other in banded])
            raw = mean if shown == ALL else source(fold)
            smooth = cache.mean(raw)
            curves.append((label, smooth))
            background += [(color, raw)] if smooth is not raw else []
            bands += [(color, cache.mean(low), cache.mean(high))] if banded else []
        return Chart(name, tuple(curves), first_color, tuple(background), tuple(bands), bool(background), True, empty)

    # A loss that a script logged beside the steps is a metric; only there it is the training loss.
    logged = ("train", LOSS) in fold.evaluated and not fold.train.length
    losses = {"train": _evaluated("train", LOSS) if logged else _train}
    losses |= {split: _evaluated(split, LOSS) for split in splits if split != "train"}
    plain = history.only_logs
    charts = [] if plain and not fold.train.length and not logged and metrics else [chart(LOSS, 0, losses, empty)]
    groups_in_order = list(dict.fromkeys(map(_group, metrics)))
    for metric in sorted(metrics, key=lambda name: groups_in_order.index(_group(name))):
        sources = {split if len(splits) > 1 else "": _evaluated(split, metric) for split in splits}
        charts.append(chart(metric, 1, sources, Chart.empty))
    groups = [(f"group {n}" if len(fold.lr) > 1 else "", curve) for n, curve in enumerate(fold.lr, 1)]
    # A constant rate stands in its panel; its plot would take the room of a metric's.
    if not any(changes(curve) for curve in fold.lr) and (plain or metrics):
        return charts
    return [*charts, Chart(LEARNING_RATE, tuple(groups), LEARNING_RATE_COLOR, empty=empty)]


def changes(curve: Series) -> bool:
    """Return whether a curve has two values that differ."""
    return curve.length > 0 and bool((curve.values != curve.values[0]).any())


def _group(metric: str) -> str:
    """Return the part of a metric's name before its first slash, by which plots stand together."""
    return metric.partition("/")[0] if "/" in metric else ""


def _train(fold: FoldHistory) -> Series:
    return fold.train


def _evaluated(split: str, metric: str) -> _Source:
    # A split without this metric still takes its colour, so that a split has one colour in all plots.
    return lambda fold: fold.evaluated.get((split, metric), EMPTY)


def falls_far(train: StepSeries, before: bool) -> bool:
    """Return whether a training loss fell to a tenth, so that a linear axis would show a flat line.

    A loss that was shown on a log axis `before` stays there until it is above a fifth, so that the axis does not flicker.
    """
    first, last = (float(np.nanmean(part)) if np.isfinite(part).any() else 0.0 for part in _ends(train.values))
    return last > 0 and first / last > (STAYS_LOG if before else BECOMES_LOG)


def _ends(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the first and the last values; none at all if one of them is not above 0, where a log axis has a gap."""
    ends = values[:ENDS], values[-ENDS:]
    return ends if len(values) > 2 * ENDS and all((end > 0).all() for end in ends) else (values[:0], values[:0])


def markers_of(fold: FoldHistory) -> list[tuple[int, str]]:
    """Return step and kind of each marker on the x axis of a fold, the most important kind last."""
    found = [(event.step or 0, "saved") for event in fold.checkpoints if event.kind != "best"]
    found += [(step, "rate") for step in fold.lr_changes]
    found += [(step, "resumed") for step in fold.resumes]
    return [*found, (fold.early_stopping[-1].best_step, "best")] if fold.early_stopping else found


def overfitting_step(fold: FoldHistory) -> int | None:
    """Return the best step of a fold with an overfitting warning, else None."""
    warned = any(event.kind == "overfitting" for event in fold.warnings)
    return fold.early_stopping[-1].best_step if warned and fold.early_stopping else None


def newest_value(curve: Series) -> float | None:
    """Return the last value of a curve, or None without one."""
    return float(curve.values[-1]) if curve.length else None


def trend_of(curve: Series) -> int | None:
    """Return -1 for a falling curve, 1 for a rising one, 0 for a steady one, None where that cannot be told.

    It compares the means of the two last twentieths, of two points at least. A change below half a percent, or below
    the scatter of the points, is none.
    """
    size = max(TREND_POINTS, curve.length // 20)
    before, last = curve.values[-2 * size : -size], curve.values[-size:]
    if len(before) < size or not (np.isfinite(before).all() and np.isfinite(last).all()):
        return None
    change = float(last.mean() - before.mean())
    scatter = float(np.sqrt((before.var() + last.var()) / 2))
    return 0 if abs(change) <= max(STEADY * abs(float(before.mean())), scatter) else 1 if change > 0 else -1


def value_at(curve: Series, step: int) -> float | None:
    """Return the value at `step`; for a curve with few points, the newest value up to `step`."""
    if isinstance(curve, StepSeries):
        index = step - curve.base
        return float(curve.values[index]) if 0 <= index < curve.length else None
    index = int(curve.steps.searchsorted(step, side="right")) - 1
    return float(curve.values[index]) if index >= 0 else None
