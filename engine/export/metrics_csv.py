"""A run's curves as one table of text."""

from __future__ import annotations

import codecs
import csv
from pathlib import Path

import numpy as np

from ..files import atomic_file
from ..history.fold_history import FoldHistory
from ..history.history import RunHistory
from ..history.series import PointSeries
from ..runs.folder import RunFolder
from .curves import curves, folds, steps_of

STEPPED_BY_NAME = ("onecycle", "warmup")  # schedulers stepped at every step, in runs of version 0.1.0


def to_csv(folder: RunFolder, target: Path) -> None:
    """Write one row for each fold and step, one column for each curve; unknown values are empty. Raises OSError."""
    with atomic_file(target) as file:
        history = RunHistory.read(folder)
        each_step = changes_each_step(history, folder)
        names = list(dict.fromkeys(name for _, fold in folds(history) for name, _ in curves(fold)))
        writer = csv.writer(codecs.getwriter("utf-8")(file))
        writer.writerow(["fold", "step", "epoch", *names])
        for number, (_, fold) in enumerate(folds(history), 1):
            # str of a float32 is its shortest text; as a float it would show digits that were never recorded.
            columns = {name: dict(zip(steps_of(c), map(str, c.values), strict=True)) for name, c in curves(fold)}
            steps = sorted(set().union(*columns.values()))
            columns |= {name: rates(c, fold, steps, each_step) for name, c in curves(fold) if c in fold.lr}
            for step in steps:
                epoch = -(-step // history.steps_per_epoch) if history.steps_per_epoch else ""
                writer.writerow([number, step, epoch, *(columns.get(name, {}).get(step, "") for name in names)])


def changes_each_step(history: RunHistory, folder: RunFolder) -> bool:
    """Return whether the scheduler may change the learning rate at every step, without an event."""
    unit = history.started.scheduler_unit if history.started else ""
    if unit:
        return unit == "step"
    return str(folder.record().settings.get("scheduler", "none")).startswith(STEPPED_BY_NAME)


def rates(curve: PointSeries, fold: FoldHistory, steps: list[int], each_step: bool) -> dict[int, str]:
    """Return the learning rate after each of `steps` where it is known, as text.

    The curve has a point at each recorded change; two equal points mark a constant stretch. With `each_step` the rate
    is known only at its points and between two equal ones. Otherwise it keeps its value until the next point.
    """
    texts = list(map(str, curve.values))
    constant = [not each_step or now == after for now, after in zip(texts, [*texts[1:], ""], strict=True)]
    found = {}
    for step, at in zip(steps, (np.searchsorted(curve.steps, steps, side="right") - 1).tolist(), strict=True):
        if at < 0:
            # Before a first point that is a change, the old rate was never recorded.
            if not each_step and int(curve.steps[0]) not in fold.lr_changes:
                found[step] = texts[0]
        elif constant[at] or step == curve.steps[at]:
            found[step] = texts[at]
    return found
