"""The table of metrics that a task can name, and how torchmetrics makes each for the shapes of a model's outputs.

To add a metric, add a row to METRICS, and its direction to runs/metric_direction.py if lower is better.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..errors import SettingError

AVERAGES = {"macro": "macro", "micro": "micro", "weighted": "weighted", "class": "none"}
"""torchmetrics' name of each average: `f1_macro` is the mean over the classes, `f1_class` one value a class."""


@dataclass(frozen=True)
class MetricSpec:
    """One row of METRICS."""

    name: str
    """Its name in `Task(metrics=[…])`."""
    torchmetrics: str
    """The class in torchmetrics; for classification, without the prefix `Binary`, `Multiclass` or `Multilabel`."""
    help: str
    """The quantity that it measures, for the documentation."""
    regression: bool = False
    """It compares numbers, not classes."""
    average: str = ""
    """The average over the classes that the plain name takes; `NAME_macro` and so on take another one."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """More options of the class."""


METRICS = (
    MetricSpec("accuracy", "Accuracy", "Share of samples whose class is right.", average="micro"),
    MetricSpec("f1", "F1Score", "Harmonic mean of precision and recall.", average="macro"),
    MetricSpec("precision", "Precision", "Share of the predictions of a class that are right.", average="macro"),
    MetricSpec("recall", "Recall", "Share of the samples of a class that are found.", average="macro"),
    MetricSpec("confusion", "ConfusionMatrix", "Counts by true class, then by predicted class."),
    MetricSpec("mse", "MeanSquaredError", "Mean squared error.", regression=True),
    MetricSpec(
        "rmse", "MeanSquaredError", "Root of the mean squared error.", regression=True, options={"squared": False}
    ),
    MetricSpec("mae", "MeanAbsoluteError", "Mean absolute error.", regression=True),
    MetricSpec("r2", "R2Score", "Coefficient of determination: the share of the variance explained.", regression=True),
)
"""Every metric but `loss`, which is always measured, and `top_K`: the true class is among the K likeliest."""
BY_NAME = {row.name: row for row in METRICS}


def several_labels(outputs: Any, targets: Any, logits: bool) -> bool:
    """Return whether a sample may have several labels: outputs and targets (N, labels), the targets 0.0 or 1.0.

    With `logits` the loss is that of each label alone. Without, one 1 in every row means a single class.
    """
    if not _same_shape(outputs, targets) or not bool(((targets == 0) | (targets == 1)).all()):
        return False
    return logits or bool((targets.sum(1) != 1).any())


def metric_factory(name: str) -> Callable[[Tensor, Any, bool], Any]:
    """Return a function of (outputs, targets, logits) that makes the metric `name`. Raises SettingError."""
    # Half a second that belongs to the start, when names are checked, and not to the first evaluation.
    importlib.import_module("torchmetrics.classification")
    kind, line, rest = name.partition("_")
    if kind == "top" and rest.isdigit() and int(rest) > 0:
        return partial(_classification, name, "Accuracy", average="micro", top_k=int(rest))
    row = BY_NAME.get(kind)
    if row is not None and row.average and (rest in AVERAGES or not line):
        return partial(_classification, name, row.torchmetrics, average=AVERAGES.get(rest, row.average))
    if row is not None and not line:
        if row.regression:
            return lambda *_: _regression(row)
        return partial(_classification, name, row.torchmetrics)
    averaged = [row.name for row in METRICS if row.average]
    others = [row.name for row in METRICS if not row.average]
    raise SettingError(
        f"there is no metric {name!r}: choose from {', '.join(averaged[:-1])} and {averaged[-1]} (each also _macro, _micro,"
        f" _weighted and _class), top_K, {', '.join(others)}"
    )


def _regression(row: MetricSpec) -> Any:
    import torchmetrics

    return getattr(torchmetrics, row.torchmetrics)(**row.options)


def _classification(name: str, kind: str, outputs: Tensor, targets: Any, logits: bool, **options: Any) -> Any:
    """Return a binary, multi-label or multi-class metric, by the shapes of outputs and targets."""
    from torchmetrics import classification

    # The loss checks the shapes; torchmetrics' own check of every target synchronises with the device each time.
    if outputs.dim() == 1 or outputs.shape[1] == 1:
        if options.get("average") == "none" or "top_k" in options:
            raise SettingError(f"metric {name!r} needs an output for each class, and this model has one output")
        return _Thresholded(getattr(classification, f"Binary{kind}")(validate_args=False), logits)
    if several_labels(outputs, targets, logits):
        if kind == "ConfusionMatrix" or "top_k" in options:
            raise SettingError(f"metric {name!r} needs one class for each sample, and these have several labels")
        made = getattr(classification, f"Multilabel{kind}")(outputs.shape[1], validate_args=False, **options)
        return _Thresholded(made, logits, flat=False)
    if options.get("top_k", 1) > outputs.shape[1]:
        raise SettingError(f"metric {name!r} needs more classes than the model's {outputs.shape[1]}")
    made = getattr(classification, f"Multiclass{kind}")(num_classes=outputs.shape[1], validate_args=False, **options)
    return _SoftTargets(made) if _same_shape(outputs, targets) else made


def _same_shape(outputs: Any, targets: Any) -> bool:
    """Return whether the targets are numbers for each class or label, (N, classes), as the outputs are."""
    same = isinstance(targets, Tensor) and targets.is_floating_point() and targets.shape == outputs.shape
    return same and targets.dim() > 1 and targets.shape[1] > 1


class _SoftTargets:
    """A classification metric for targets that are probabilities (N, classes): the likeliest class counts as true."""

    def __init__(self, metric: Any) -> None:
        self.metric = metric
        self.reset, self.compute = metric.reset, metric.compute

    def to(self, device: torch.device) -> _SoftTargets:
        self.metric.to(device)
        return self

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        self.metric.update(outputs, targets.argmax(1))


class _Thresholded:
    """A binary metric: with `flat` for outputs and targets (N) or (N, 1), else for each label of (N, labels)."""

    def __init__(self, metric: Any, logits: bool, *, flat: bool = True) -> None:
        self.metric, self.logits, self.flat = metric, logits, flat
        self.reset, self.compute = metric.reset, metric.compute

    def to(self, device: torch.device) -> _Thresholded:
        self.metric.to(device)
        return self

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        # Always probabilities: torchmetrics guesses by the range of each batch whether it gets logits.
        probabilities = outputs.sigmoid() if self.logits else outputs
        if self.flat:
            probabilities, targets = probabilities.flatten(), targets.flatten()
        self.metric.update(probabilities, targets.long())
