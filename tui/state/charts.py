"""The plots of a run in their order, and the markers on their x axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

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
        return Chart(name, tuple(curves), first_color, tuple(background), tuple(bands), bool(background), empty)

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
    if plain and not groups:
        return charts
    return [*charts, Chart(LEARNING_RATE, tuple(groups), LEARNING_RATE_COLOR, empty=empty)]


def _group(metric: str) -> str:
    """Return the part of a metric's name before its first slash, by which plots stand together."""
    return metric.partition("/")[0] if "/" in metric else ""


def _train(fold: FoldHistory) -> Series:
    return fold.train


def _evaluated(split: str, metric: str) -> _Source:
    # A split without this metric still takes its colour, so that a split has one colour in all plots.
    return lambda fold: fold.evaluated.get((split, metric), EMPTY)


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


def value_at(curve: Series, step: int) -> float | None:
    """Return the value at `step`; for a curve with few points, the newest value up to `step`."""
    if isinstance(curve, StepSeries):
        index = step - curve.base
        return float(curve.values[index]) if 0 <= index < curve.length else None
    index = int(curve.steps.searchsorted(step, side="right")) - 1
    return float(curve.values[index]) if index >= 0 else None
