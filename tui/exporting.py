"""A run's curves for other programs: a table, a picture, TensorBoard's event files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from ..engine.errors import RequestError
from .fold import Fold
from .series import Dense, Sparse
from .view import RunView

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


def points(curve: Dense | Sparse) -> Iterator[tuple[int, float]]:
    """Yield (step, value) of a curve."""
    steps = range(curve.base, curve.base + curve.length) if isinstance(curve, Dense) else curve.steps.tolist()
    yield from zip(steps, curve.values.tolist(), strict=True)


def to_csv(view: RunView, target: Path) -> None:
    """Write a row each fold and step, a column each curve; what was not measured at a step is empty."""
    names = list(dict.fromkeys(name for _, fold in folds(view) for name, _ in curves(fold)))
    with target.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["fold", "step", "epoch", *names])
        for number, (_, fold) in enumerate(folds(view), 1):
            columns = {name: dict(points(curve)) for name, curve in curves(fold)}
            for step in sorted(set().union(*columns.values())):
                epoch = -(-step // view.steps_per_epoch) if view.steps_per_epoch else ""
                writer.writerow([number, step, epoch, *(columns.get(name, {}).get(step, "") for name in names)])


def to_png(view: RunView, target: Path) -> None:
    """Draw the losses, and every other metric below. Raises RequestError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RequestError("curves.png needs matplotlib: pip install 'stoker[export]'") from error
    metrics = list(dict.fromkeys(metric for _, fold in folds(view) for _, metric in fold.evaluated if metric != "loss"))
    figure = Figure(figsize=(9, 3.2 * (1 + len(metrics))), layout="constrained")
    axes = figure.subplots(1 + len(metrics), 1, sharex=True, squeeze=False)[:, 0]
    for name, fold in folds(view):
        for label, curve in curves(fold):
            metric = "loss" if label == "train_loss" else label.partition("_")[2]
            if metric in ("loss", *metrics):
                steps, values = zip(*points(curve), strict=True)
                axes[(["loss", *metrics]).index(metric)].plot(
                    steps, values, label=f"{name} {label}".strip(), linewidth=1
                )
    for axis, metric in zip(axes, ["loss", *metrics], strict=True):
        axis.set_ylabel(metric)
        axis.grid(alpha=0.3)
        if axis.has_data():
            axis.legend(fontsize="small")
    axes[-1].set_xlabel("step")
    axes[0].set_title(view.name)
    figure.savefig(target, dpi=120)


def to_tensorboard(view: RunView, target: Path) -> None:
    """Write event files by TensorBoard's own writer. Raises RequestError where it is not installed."""
    try:
        from tensorboard.summary import Writer
    except ImportError as error:
        raise RequestError("tensorboard/ needs tensorboard: pip install 'stoker[export]'") from error
    for name, fold in folds(view):
        writer = Writer(str(target / name if name else target))
        for label, curve in curves(fold):
            split, _, metric = label.partition("_")
            tag = f"{metric}/{split}" if metric and split != "lr" else label
            for step, value in points(curve):
                writer.add_scalar(tag, value, step)
        writer.close()
