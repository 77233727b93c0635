"""The curves of a run by name, as every export lists them."""

from __future__ import annotations

from collections.abc import Iterator

from ..history.fold_history import FoldHistory
from ..history.history import RunHistory
from ..history.series import Series, StepSeries

NamedSeries = tuple[str, Series]


def curves(fold: FoldHistory) -> Iterator[NamedSeries]:
    """Yield every curve of a fold with its name: `train_loss`, `test_accuracy`, …, `lr`."""
    yield "train_loss", fold.train
    for (split, metric), curve in fold.evaluated.items():
        yield f"{split}_{metric}", curve
    for number, curve in enumerate(fold.lr):
        yield f"lr_{number}" if len(fold.lr) > 1 else "lr", curve


def folds(history: RunHistory) -> Iterator[tuple[str, FoldHistory]]:
    """Yield the folds with curves: `fold 1`, `fold 2`, …, or an empty name for a run without folds."""
    for number, fold in history.folds.items():
        if fold.train.length or fold.evaluated:
            yield "" if number is None else f"fold {number + 1}", fold


def steps_of(curve: Series) -> list[int]:
    """Return the step of each value of a curve."""
    return list(range(curve.base, curve.base + curve.length)) if isinstance(curve, StepSeries) else curve.steps.tolist()
