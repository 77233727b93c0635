"""A run's curves as a picture."""

from __future__ import annotations

from pathlib import Path

from ..errors import RequestError
from ..files import whole_file
from ..history.reading import read
from ..runs.folder import RunFolder
from .metrics_csv import curves, folds, steps_of


def to_png(folder: RunFolder, target: Path) -> None:
    """Draw the losses, and every other metric below. Raises RequestError without matplotlib, OSError."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RequestError("curves.png needs matplotlib: pip install 'stoker[export]'") from error
    with whole_file(target) as file:
        view = read(folder)
        others = (metric for _, fold in folds(view) for _, metric in fold.evaluated if metric != "loss")
        metrics = list(dict.fromkeys(["loss", *others]))
        figure = Figure(figsize=(9, 3.2 * len(metrics)), layout="constrained")
        axes = figure.subplots(len(metrics), 1, sharex=True, squeeze=False)[:, 0]
        for name, fold in folds(view):
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
        axes[0].set_title(view.name)
        figure.savefig(file, format="png", dpi=120)
