"""The confusion matrix and the scores of each class, for the table of `stoker evaluate`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics import classification

from ..accelerator.determinism import paused
from .metric_table import several_labels
from .metrics import Metrics, Wanted

SCORES = {
    "precision": classification.MulticlassPrecision,
    "recall": classification.MulticlassRecall,
    "f1": classification.MulticlassF1Score,
}


class PerClass(Metrics):
    """A task's metrics and, for a classifier, the confusion matrix and the scores of each class."""

    def __init__(self, wanted: Wanted, device: torch.device, loss: Any) -> None:
        """Measure `wanted` as `Metrics` does. The task's `loss` distinguishes a binary classifier from a regression."""
        super().__init__(wanted, device, logits=isinstance(loss, nn.BCEWithLogitsLoss))
        self._binary = isinstance(loss, nn.BCEWithLogitsLoss | nn.BCELoss)
        self._tables: dict[str, Any] | None = None

    def update(self, loss: Tensor, outputs: Any, targets: Any, samples: int) -> None:
        """Add one batch, as in `Metrics.update`."""
        super().update(loss, outputs, targets, samples)
        found = self._predictions(outputs, targets)
        if found is None:
            return
        if self._tables is None:
            self._tables = self._make_tables(2 if self._binary else outputs.shape[1])
        with paused(self.device):
            for table in self._tables.values():
                table.update(*found)

    def tables(self) -> dict[str, Any] | None:
        """Return the tables as plain data; None if the task is not a classifier.

        `confusion` has the counts (classes, classes): rows are true classes, columns predicted ones. `per_class` has
        precision, recall, F1 and support (number of samples) of each class.
        """
        if self._tables is None:
            return None
        confusion = self._tables["confusion"].compute()
        columns = {name: self._tables[name].compute().tolist() for name in SCORES}
        columns["support"] = confusion.sum(1).tolist()
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        return {"confusion": confusion.tolist(), "per_class": rows}

    def _predictions(self, outputs: Any, targets: Any) -> tuple[Tensor, Tensor] | None:
        """Return predicted and true classes, of the targets' shape; None if the outputs are not a classifier's."""
        if not isinstance(outputs, Tensor) or not isinstance(targets, Tensor):
            return None
        if several_labels(outputs, targets, self._logits):
            return None
        if self._binary and outputs.numel() == targets.numel():
            return (outputs.flatten() > (0 if self._logits else 0.5)).long(), targets.flatten().long()
        classes = not targets.is_floating_point() and outputs.dim() == targets.dim() + 1 and outputs.shape[1] > 1
        return (outputs.argmax(1), targets) if classes else None

    def _make_tables(self, classes: int) -> dict[str, Any]:
        scores = {name: kind(classes, average="none", validate_args=False) for name, kind in SCORES.items()}
        tables = {"confusion": classification.MulticlassConfusionMatrix(classes, validate_args=False), **scores}
        return {name: table.to(self.device) for name, table in tables.items()}
