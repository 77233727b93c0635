"""Metrics by name, from torchmetrics, streamed over the evaluation set; made when the first outputs tell the shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..errors import SettingError, TrainingError

Wanted = Sequence[str] | Mapping[str, Any]
"""Names of metrics, or objects of torchmetrics by name."""
LOWER_IS_BETTER = ("loss", "mse", "mae", "rmse")
KINDS = {"accuracy": "Accuracy", "f1": "F1Score", "precision": "Precision", "recall": "Recall"}
AVERAGES = {"macro": "macro", "micro": "micro", "weighted": "weighted", "class": "none"}


class Metrics:
    """The loss and a task's metrics over one evaluation, right for a last smaller batch too."""

    def __init__(
        self, wanted: Sequence[str] | Mapping[str, Any], device: torch.device, *, logits: bool = False
    ) -> None:
        """Measure `wanted`: names, or torchmetrics objects by name. Raises SettingError for an unknown name.

        With `logits` the outputs (N) or (N, 1) of a binary classifier are no probabilities yet.
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
        """Every metric; one of several values, such as `f1_class`, is computed as `f1_class_0`, `f1_class_1`, …"""
        return ["loss", *self._wanted]

    def check(self, monitor: str) -> None:
        """Refuse a monitored metric that will not be a number of its own. Raises SettingError."""
        # What an object of torchmetrics computes is known only when it has: there a part of any name may come.
        several = [name for name in self._wanted if isinstance(self._wanted, Mapping) or _several(name)]
        if any(monitor.startswith(f"{name}_") for name in several):
            return
        if monitor not in self.names or _several(monitor):
            known = ", ".join(f"{name}_0, …" if _several(name) else name for name in self.names)
            raise SettingError(f"--monitor {monitor!r} is not measured; there are {known}")

    def reset(self) -> None:
        """Forget what was measured."""
        self._loss.zero_()
        self._samples = 0
        for metric in self._metrics.values():
            metric.reset()

    def update(self, loss: Tensor, outputs: Any, targets: Any, samples: int) -> None:
        """Take in one batch: its mean loss (), outputs (N, classes, …) or as the metrics expect, targets (N, …)."""
        self._loss += loss.detach() * samples
        self._samples += samples
        if not self._ready:
            self._metrics, self._ready = self._make(outputs, targets), True
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
                numbers = torch.as_tensor(value).flatten().tolist()
                if len(numbers) == 1:
                    values[label] = float(numbers[0])
                else:
                    values.update({f"{label}_{i}": float(number) for i, number in enumerate(numbers)})
        return values

    def lower_is_better(self, name: str) -> bool:
        """Say in which direction `name` improves."""
        if isinstance(self._wanted, Mapping):
            for wanted, metric in self._wanted.items():
                if name == wanted or name.startswith(f"{wanted}_"):
                    return metric.higher_is_better is False
        return name in LOWER_IS_BETTER or name.endswith("_loss")

    def _make(self, outputs: Any, targets: Any) -> dict[str, Any]:
        if isinstance(self._wanted, Mapping):
            return {name: metric.to(self._device) for name, metric in self._wanted.items()}
        if self._wanted and not isinstance(outputs, Tensor):
            raise TrainingError(
                f"the model's outputs are a {type(outputs).__name__}, so {', '.join(self._wanted)} cannot be measured:"
                " give Task(evaluate=…), which returns (loss, outputs, targets)"
            )
        return {name: _maker(name)(outputs, targets, self._logits).to(self._device) for name in self._wanted}


def _several(name: str) -> bool:
    return name == "confusion" or name.endswith("_class")


def _maker(name: str) -> Callable[[Tensor, Any, bool], Any]:
    """Return what makes the metric `name` for (outputs, targets, whether these are logits). Raises SettingError."""
    import torchmetrics

    regression: dict[str, Callable[[], Any]] = {
        "mse": torchmetrics.MeanSquaredError,
        "rmse": partial(torchmetrics.MeanSquaredError, squared=False),
        "mae": torchmetrics.MeanAbsoluteError,
        "r2": torchmetrics.R2Score,
    }
    if name in regression:
        return lambda *_: regression[name]()
    kind, line, rest = name.partition("_")
    if kind == "top" and rest.isdigit() and int(rest) > 0:
        return partial(_classification, name, "Accuracy", average="micro", top_k=int(rest))
    if kind in KINDS and (rest in AVERAGES or not line):
        average = AVERAGES.get(rest, "micro" if kind == "accuracy" else "macro")
        return partial(_classification, name, KINDS[kind], average=average)
    if name == "confusion":
        return partial(_classification, name, "ConfusionMatrix")
    raise SettingError(
        f"there is no metric {name!r}; there are accuracy, f1, precision and recall (each also _macro, _micro,"
        " _weighted and _class), top_K, confusion, mse, rmse, mae, r2"
    )


def _classification(name: str, kind: str, outputs: Tensor, targets: Any, logits: bool, **options: Any) -> Any:
    from torchmetrics import classification

    # Shapes are checked by the loss; torchmetrics' own check of every target waits for the device each time.
    if outputs.dim() == 1 or outputs.shape[1] == 1:
        if options.get("average") == "none" or "top_k" in options:
            raise SettingError(f"metric {name!r} needs an output for each class, and this model has one output")
        return _Binary(getattr(classification, f"Binary{kind}")(validate_args=False), logits)
    if several_labels(outputs, targets, logits):
        if kind == "ConfusionMatrix" or "top_k" in options:
            raise SettingError(f"metric {name!r} is of one class for each sample, and these have several labels")
        made = getattr(classification, f"Multilabel{kind}")(outputs.shape[1], validate_args=False, **options)
        return _Binary(made, logits, flat=False)
    if options.get("top_k", 1) > outputs.shape[1]:
        raise SettingError(f"metric {name!r} asks for more classes than the model's {outputs.shape[1]}")
    made = getattr(classification, f"Multiclass{kind}")(num_classes=outputs.shape[1], validate_args=False, **options)
    return _Soft(made) if _alike(outputs, targets) else made


def several_labels(outputs: Any, targets: Any, logits: bool) -> bool:
    """Say whether each sample may have several labels: outputs and targets (N, labels), these of 0.0 and 1.0.

    With `logits` the loss takes each label for itself; else one 1 in every row is the one class there is.
    """
    if not _alike(outputs, targets) or not bool(((targets == 0) | (targets == 1)).all()):
        return False
    return logits or bool((targets.sum(1) != 1).any())


def _alike(outputs: Any, targets: Any) -> bool:
    alike = isinstance(targets, Tensor) and targets.is_floating_point() and targets.shape == outputs.shape
    return alike and targets.dim() > 1 and targets.shape[1] > 1


class _Soft:
    """A metric of classes whose targets are the probability of each: the likeliest is the true one."""

    def __init__(self, metric: Any) -> None:
        self.metric = metric
        self.reset, self.compute = metric.reset, metric.compute

    def to(self, device: torch.device) -> _Soft:
        self.metric.to(device)
        return self

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        self.metric.update(outputs, targets.argmax(1))


class _Binary:
    """A metric of yes or no: `flat` for outputs and targets (N) or (N, 1), else (N, labels)."""

    def __init__(self, metric: Any, logits: bool, *, flat: bool = True) -> None:
        self.metric, self.logits, self.flat = metric, logits, flat
        self.reset, self.compute = metric.reset, metric.compute

    def to(self, device: torch.device) -> _Binary:
        self.metric.to(device)
        return self

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        # torchmetrics guesses by the range of each batch whether it sees logits.
        probabilities = outputs.sigmoid() if self.logits else outputs
        if self.flat:
            probabilities, targets = probabilities.flatten(), targets.flatten()
        self.metric.update(probabilities, targets.long())
