"""A run's curves as an image."""

from __future__ import annotations

from pathlib import Path

from ..files import atomic_file
from ..history.history import RunHistory
from ..runs.folder import RunFolder
from .curves import curves, folds, steps_of
from .formats import format_of, missing_library


def to_png(folder: RunFolder, target: Path) -> None:
    """Draw the losses, and below them every other metric. Raises RequestError without matplotlib, OSError."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_library(format_of(target)) from error
    with atomic_file(target) as file:
        history = RunHistory.read(folder)
        others = (metric for _, fold in folds(history) for _, metric in fold.evaluated if metric != "loss")
        metrics = list(dict.fromkeys(["loss", *others]))
        figure = Figure(figsize=(9, 3.2 * len(metrics)), layout="constrained")
        axes = figure.subplots(len(metrics), 1, sharex=True, squeeze=False)[:, 0]
        for name, fold in folds(history):
            for label, curve in curves(fold):
                metric = "loss" if label == "train_loss" else label.partition("_")[2]
                if metric in metrics and curve.length:
                    axis = axes[metrics.index(metric)]
                    axis.plot(steps_of(curve), curve.values, label=f"{name} {label}".strip(), linewidth=1)
        for axis, metric in zip(axes, metrics, strict=True):
            axis.set_ylabel(metric)
            axis.grid(alpha=0.3)
            if axis.has_data():
                axis.legend(fontsize="small")
        axes[-1].set_xlabel("step")
        axes[0].set_title(history.name)
        figure.savefig(file, format="png", dpi=120)
