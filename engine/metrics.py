"""Metrics by name, from torchmetrics, streamed over the evaluation set; made when the first outputs tell the shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .errors import SettingError

LOWER_IS_BETTER = ("loss", "mse", "mae", "rmse")


class Metrics:
    """The loss and a task's metrics over one evaluation, right for a last smaller batch too."""

    def __init__(self, wanted: Sequence[str] | Mapping[str, Any], device: torch.device, *, logits: bool = False) -> None:
        """Measure `wanted`: names, or torchmetrics objects by name. Raises SettingError for an unknown name.

        With `logits` a binary classifier's outputs (N) or (N, 1) are no probabilities yet.
        """
        self._wanted = wanted
        self._logits = logits
        self._device = device
        self._metrics: dict[str, Any] = {}
        self._ready = False
        if not isinstance(wanted, Mapping):
            for name in wanted:
                _maker(name)
        self._loss = torch.zeros((), dtype=torch.float64 if device.type != "mps" else torch.float32, device=device)
        self._samples = 0

    @property
    def names(self) -> list[str]:
        """Every name that `compute` will give."""
        return ["loss", *self._wanted]

    def reset(self) -> None:
        """Forget what was measured."""
        self._loss.zero_()
        self._samples = 0
        for metric in self._metrics.values():
            metric.reset()

    def update(self, loss: Tensor, outputs: Tensor, targets: Tensor, samples: int) -> None:
        """Take in one batch: its mean loss (), outputs (N, classes) or as the metrics expect, targets (N)."""
        self._loss += loss.detach() * samples
        self._samples += samples
        if not self._ready:
            self._metrics, self._ready = self._make(outputs), True
        for metric in self._metrics.values():
            metric.update(outputs, targets)

    def compute(self) -> dict[str, float]:
        """Return every metric as a number; a metric of several values, such as per-class scores, gives one each."""
        values = {"loss": float(self._loss) / max(self._samples, 1)}
        for name, metric in self._metrics.items():
            result = metric.compute()
            parts = result if isinstance(result, Mapping) else {"": result}
            for part, value in parts.items():
                label = f"{name}_{part}" if part else name
                if value.numel() == 1:
                    values[label] = float(value)
                else:
                    values.update({f"{label}_{i}": float(v) for i, v in enumerate(value.flatten())})
        return values

    def lower_is_better(self, name: str) -> bool:
        """Say in which direction `name` improves."""
        if name in LOWER_IS_BETTER or name.endswith("_loss"):
            return True
        if isinstance(self._wanted, Mapping) and name in self._wanted:
            return self._wanted[name].higher_is_better is False
        return False

    def _make(self, outputs: Tensor) -> dict[str, Any]:
        if isinstance(self._wanted, Mapping):
            return {name: metric.to(self._device) for name, metric in self._wanted.items()}
        return {name: _maker(name)(outputs, self._logits).to(self._device) for name in self._wanted}


def _maker(name: str) -> Callable[[Tensor], Any]:
    """Return what makes the metric `name` for outputs of a shape. Raises SettingError."""
    import torchmetrics

    regression = {"mse": torchmetrics.MeanSquaredError, "mae": torchmetrics.MeanAbsoluteError, "r2": torchmetrics.R2Score}
    if name == "rmse":
        return lambda outputs: torchmetrics.MeanSquaredError(squared=False)
    if name in regression:
        return lambda outputs: regression[name]()
    kind, _, rest = name.partition("_")
    if kind == "top" and rest.isdigit() and int(rest) > 0:
        return partial(_classification, "Accuracy", average="micro", top_k=int(rest))
    kinds = {"accuracy": "Accuracy", "f1": "F1Score", "precision": "Precision", "recall": "Recall"}
    averages = {"": "micro" if kind == "accuracy" else "macro", "macro": "macro", "micro": "micro"}
    averages |= {"weighted": "weighted", "class": "none"}
    if kind in kinds and rest in averages:
        return partial(_classification, kinds[kind], average=averages[rest])
    if name == "confusion":
        return partial(_classification, "ConfusionMatrix")
    raise SettingError(
        f"there is no metric {name!r}; there are accuracy, f1, precision and recall (each also _macro, _micro, _weighted"
        " and _class), top_K, confusion, mse, rmse, mae, r2"
    )


def _classification(kind: str, outputs: Tensor, **options: Any) -> Any:
    from torchmetrics import classification

    # Shapes are checked by the loss; torchmetrics' own check of every target waits for the device each time.
    if outputs.dim() == 1 or outputs.shape[1] == 1:
        return _Flat(getattr(classification, f"Binary{kind}")(validate_args=False))
    return getattr(classification, f"Multiclass{kind}")(num_classes=outputs.shape[1], validate_args=False, **options)


class _Flat:
    """A binary metric for outputs of shape (N) or (N, 1)."""

    def __init__(self, metric: Any) -> None:
        self.metric = metric
        self.reset, self.compute = metric.reset, metric.compute

    def to(self, device: torch.device) -> _Flat:
        self.metric.to(device)
        return self

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        self.metric.update(outputs.flatten(), targets.flatten().long())
