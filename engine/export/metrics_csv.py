"""A run's curves for other programs, and the table of them."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from stoker.tui.state.run_view import RunView

from ..files import whole_file
from ..history.fold_history import Fold
from ..history.reading import read
from ..history.series import Dense, Sparse
from ..runs.folder import RunFolder

EACH_STEP = ("onecycle", "warmup")  # schedules that move the rate at every step, and do not say so each time

Curve = tuple[str, Dense | Sparse]


def curves(fold: Fold) -> Iterator[Curve]:
    """Yield every curve of a fold by name: `train_loss`, `test_accuracy`, …, `lr`."""
    yield "train_loss", fold.train
    for (split, metric), curve in fold.evaluated.items():
        yield f"{split}_{metric}", curve
    for number, curve in enumerate(fold.lr):
        yield f"lr_{number}" if len(fold.lr) > 1 else "lr", curve


def folds(view: RunView) -> Iterator[tuple[str, Fold]]:
    """Yield the folds that have anything to show, by a name that is empty for a run of one."""
    for number, fold in view.folds.items():
        if fold.train.length or fold.evaluated:
            yield "" if number is None else f"fold {number + 1}", fold


def steps_of(curve: Dense | Sparse) -> list[int]:
    """Return the step of each value of a curve."""
    return list(range(curve.base, curve.base + curve.length)) if isinstance(curve, Dense) else curve.steps.tolist()


def to_csv(folder: RunFolder, target: Path) -> None:
    """Write a row each fold and step, a column each curve; what is not known at a step is empty. Raises OSError."""
    moving = str(folder.record().settings.get("scheduler", "none")).startswith(EACH_STEP)
    with whole_file(target) as file:
        view = read(folder)
        names = list(dict.fromkeys(name for _, fold in folds(view) for name, _ in curves(fold)))
        writer = csv.writer(codecs.getwriter("utf-8")(file))
        writer.writerow(["fold", "step", "epoch", *names])
        for number, (_, fold) in enumerate(folds(view), 1):
            # The shortest text of a float32: as a float it would show digits that nobody wrote.
            columns = {name: dict(zip(steps_of(c), map(str, c.values), strict=True)) for name, c in curves(fold)}
            steps = sorted(set().union(*columns.values()))
            columns |= {name: rates(c, fold, steps, moving) for name, c in curves(fold) if c in fold.lr}
            for step in steps:
                epoch = -(-step // view.steps_per_epoch) if view.steps_per_epoch else ""
                writer.writerow([number, step, epoch, *(columns.get(name, {}).get(step, "") for name in names)])


def rates(curve: Sparse, fold: Fold, steps: list[int], moving: bool) -> dict[int, str]:
    """Return the learning rate as it stood after each of `steps`, where that is known.

    Its curve has a point where it was said to change, and says between two equal points that it held.
    One that is `moving` changes unsaid; any other held until it changed, before the first point too.
    """
    texts = list(map(str, curve.values))
    held = [not moving or now == after for now, after in zip(texts, [*texts[1:], ""], strict=True)]
    found = {}
    for step, at in zip(steps, (np.searchsorted(curve.steps, steps, side="right") - 1).tolist(), strict=True):
        if at < 0:
            # A change is the first that was said: what held before it was not.
            if not moving and int(curve.steps[0]) not in fold.turns:
                found[step] = texts[0]
        elif held[at] or step == curve.steps[at]:
            found[step] = texts[at]
    return found
