"""Which plots a run has, in which order, and the marks on their axis."""

from __future__ import annotations

from dataclasses import dataclass

from .fold import Fold
from .series import Dense, Sparse
from .view import RunView

Named = tuple[str, Dense | Sparse]
LOSS, RATE = "loss", "learning rate"
RATE_COLOR = 4
SIGNS = {"saved": "▴", "rate": "◆", "resumed": "↻", "best": "★"}  # the later one stays where two fall together


@dataclass(frozen=True)
class Chart:
    """One plot: curves with their names, and dimmer ones behind them with the number of their colour."""

    name: str
    curves: tuple[Named, ...]
    first_color: int = 0
    behind: tuple[tuple[int, Dense | Sparse], ...] = ()
    empty: str = "after the first evaluation"


def charts_of(view: RunView, shown: int | None, means: Dense | None, waiting: str) -> list[Chart]:
    """Return the plots of fold `shown`, the others dim behind it; `means` stands in for the training loss."""
    fold = view.folds[shown]
    others = [other for number, other in view.folds.items() if number != shown]
    splits = list(dict.fromkeys(split for split, _ in fold.evaluated))
    metrics = list(dict.fromkeys(metric for _, metric in fold.evaluated if metric != LOSS))
    charts = [
        Chart(
            LOSS,
            (("train", means or fold.train), *_evaluated(fold, splits, LOSS, named=True)),
            behind=(
                *((0, other.train) for other in others),
                *_behind(others, splits, LOSS),
                *([(0, fold.train)] if means else []),
            ),
            empty=waiting,
        )
    ]
    for metric in metrics:
        curves = _evaluated(fold, splits, metric, named=len(splits) > 1)
        charts.append(Chart(metric, curves, 1, _behind(others, splits, metric)))
    groups = [(f"group {n}" if len(fold.lr) > 1 else "", curve) for n, curve in enumerate(fold.lr, 1)]
    return [*charts, Chart(RATE, tuple(groups), RATE_COLOR, empty=waiting)]


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


def _evaluated(fold: Fold, splits: list[str], metric: str, *, named: bool) -> tuple[Named, ...]:
    nothing = Sparse()
    # A split without this metric keeps its colour for the others.
    curves = [(split if named else "", fold.evaluated.get((split, metric), nothing)) for split in splits]
    return tuple(curves)


def _behind(others: list[Fold], splits: list[str], metric: str) -> tuple[tuple[int, Sparse], ...]:
    return tuple(
        (color, curve)
        for other in others
        for color, split in enumerate(splits, 1)
        if (curve := other.evaluated.get((split, metric))) is not None
    )
