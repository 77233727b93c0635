"""Which plots a run has, in which order, and the marks on their axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from stoker.engine.history.fold_history import Fold
from stoker.engine.history.series import Dense, Sparse

from ..plotting.curve_cache import Derived
from .run_view import RunView

Curve = Dense | Sparse
Named = tuple[str, Curve]
Shown = int | None | Literal["all"]
"""The fold that is shown; None is that of a run without folds."""
_Source = Callable[[Fold], Curve]
ALL: Literal["all"] = "all"
NOTHING = Sparse()
LOSS, RATE = "loss", "learning rate"
RATE_COLOR = 4
SIGNS = {"saved": "▴", "rate": "◆", "resumed": "↻", "best": "★"}  # the later one stays where two fall together


@dataclass(frozen=True)
class Chart:
    """One plot: curves with their names, dimmer ones behind them, and bands behind these; the numbers are of colours."""

    name: str
    curves: tuple[Named, ...]
    first_color: int = 0
    behind: tuple[tuple[int, Curve], ...] = ()
    bands: tuple[tuple[int, Curve, Curve], ...] = ()  # from the lower to the upper
    smoothed: bool = False
    empty: str = "after the first evaluation"


def fold_of(view: RunView, shown: Shown) -> Fold:
    """Return the fold that is shown; of all folds the longest, which has every step."""
    if shown == ALL:
        return max(view.folds.values(), key=lambda fold: fold.train.last_step)
    return view.folds[shown]


def charts_of(view: RunView, shown: Shown, derived: Derived, waiting: str) -> list[Chart]:
    """Return the plots of one fold with the band of the others behind it, or those of all folds together."""
    fold = fold_of(view, shown)
    of_band = [other for other in view.folds.values() if shown == ALL or other is not fold]
    splits = list(dict.fromkeys(split for split, _ in fold.evaluated))
    metrics = list(dict.fromkeys(metric for _, metric in fold.evaluated if metric != LOSS))

    def chart(name: str, first_color: int, sources: dict[str, _Source], empty: str) -> Chart:
        curves: list[Named] = []
        behind: list[tuple[int, Curve]] = []
        bands: list[tuple[int, Curve, Curve]] = []
        for color, (label, source) in enumerate(sources.items(), first_color):
            mean, low, high = derived.band([source(other) for other in of_band])
            raw = mean if shown == ALL else source(fold)
            smooth = derived.mean(raw)
            curves.append((label, smooth))
            behind += [(color, raw)] if smooth is not raw else []
            bands += [(color, derived.mean(low), derived.mean(high))] if of_band else []
        return Chart(name, tuple(curves), first_color, tuple(behind), tuple(bands), bool(behind), empty)

    losses = {"train": _train, **{split: _evaluated(split, LOSS) for split in splits}}
    charts = [chart(LOSS, 0, losses, waiting)]
    for metric in metrics:
        sources = {split if len(splits) > 1 else "": _evaluated(split, metric) for split in splits}
        charts.append(chart(metric, 1, sources, Chart.empty))
    groups = [(f"group {n}" if len(fold.lr) > 1 else "", curve) for n, curve in enumerate(fold.lr, 1)]
    return [*charts, Chart(RATE, tuple(groups), RATE_COLOR, empty=waiting)]


def _train(fold: Fold) -> Curve:
    return fold.train


def _evaluated(split: str, metric: str) -> _Source:
    # A split without this metric keeps its colour for the others.
    return lambda fold: fold.evaluated.get((split, metric), NOTHING)


def signs(fold: Fold) -> list[tuple[int, str]]:
    """Return what happened at which step of a fold, what matters most last."""
    found = [(event.step or 0, "saved") for event in fold.checkpoints if event.kind != "best"]
    found += [(step, "rate") for step in fold.turns]
    found += [(step, "resumed") for step in fold.resumes]
    return [*found, (fold.early[-1].best_step, "best")] if fold.early else found


def overfitted(fold: Fold) -> int | None:
    """Return the best step, where it was warned that what came after it only fits the training data."""
    warned = any(event.kind == "overfitting" for event in fold.warnings)
    return fold.early[-1].best_step if warned and fold.early else None


def read(curve: Dense | Sparse, step: int) -> float | None:
    """Return the value at `step`, or the last before it of a curve with few points."""
    if isinstance(curve, Dense):
        place = step - curve.base
        return float(curve.values[place]) if 0 <= place < curve.length else None
    place = int(curve.steps.searchsorted(step, side="right")) - 1
    return float(curve.values[place]) if place >= 0 else None
