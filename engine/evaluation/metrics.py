"""A task's metrics, accumulated over the batches of an evaluation.

To add a metric, add a row to `metric_table.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..accelerator.determinism import paused
from ..errors import SettingError, TrainingError
from ..runs import metric_direction
from .metric_table import metric_factory

Wanted = Sequence[str] | Mapping[str, Any]
"""Names of metrics, or torchmetrics objects by name."""


class Metrics:
    """The loss and a task's metrics over one evaluation. Every sample has the same weight in every batch size."""

    def __init__(self, wanted: Wanted, device: torch.device, *, logits: bool = False) -> None:
        """Measure `wanted` on `device`. Raises SettingError for an unknown name.

        With `logits`, the outputs (N) or (N, 1) of a binary classifier, or (N, labels) of several labels, are logits and
        not probabilities.
        """
        self._wanted = wanted
        self._logits = logits
        self.device = device
        self._metrics: dict[str, Any] = {}
        self._ready = False
        if not isinstance(wanted, Mapping):
            for name in wanted:
                metric_factory(name)
        self._loss = torch.zeros((), dtype=torch.float64 if device.type != "mps" else torch.float32, device=device)
        self._samples = 0

    @property
    def names(self) -> list[str]:
        """`loss` and the wanted names. A name of several values, `f1_class`, becomes `f1_class_0`, `f1_class_1` and so on."""
        return ["loss", *self._wanted]

    def check_monitor(self, monitor: str) -> None:
        """Raise SettingError if `monitor` is not measured, or is not a single number."""
        # The names that a torchmetrics object computes are not known before it has: accept any part of its name.
        several = [name for name in self._wanted if isinstance(self._wanted, Mapping) or _has_several_values(name)]
        if any(monitor.startswith(f"{name}_") for name in several):
            return
        if monitor not in self.names or _has_several_values(monitor):
            known = ", ".join(f"{name}_0, …" if _has_several_values(name) else name for name in self.names)
            raise SettingError(f"--monitor {monitor!r} is not measured: choose from {known}")

    def directions(self) -> dict[str, str]:
        """Return for each of `names` whether `higher` or `lower` is better."""
        return {name: "lower" if self.lower_is_better(name) else "higher" for name in self.names}

    def lower_is_better(self, name: str) -> bool:
        """Return whether lower values of the metric `name`, or of a part of it such as `recall_1`, are better."""
        if isinstance(self._wanted, Mapping):
            for wanted, metric in self._wanted.items():
                if name == wanted or name.startswith(f"{wanted}_"):
                    return metric.higher_is_better is False
        return metric_direction.lower_is_better(name)

    def reset(self) -> None:
        """Start a new evaluation."""
        self._loss.zero_()
        self._samples = 0
        for metric in self._metrics.values():
            metric.reset()

    def forget(self) -> None:
        """Hold no memory on the device until the next evaluation."""
        for metric in self._metrics.values():
            metric.to("cpu")
        self._metrics, self._ready = {}, False

    def update(self, loss: Tensor, outputs: Any, targets: Any, samples: int) -> None:
        """Add one batch: its mean loss (), outputs (N, classes, …) or as the metrics expect, targets (N, …).

        Raises TrainingError or SettingError, at the first batch, if a metric does not fit the outputs.
        """
        self._loss += loss.detach() * samples
        self._samples += samples
        if not self._ready:
            self._metrics, self._ready = self._make(outputs, targets), True
        with paused(self.device):
            for metric in self._metrics.values():
                metric.update(outputs, targets)

    def compute(self) -> dict[str, float]:
        """Return every metric as a number by name; one of several values gives a number for each."""
        values = {"loss": float(self._loss) / max(self._samples, 1)}
        for name, metric in self._metrics.items():
            with paused(self.device):
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

    def _make(self, outputs: Any, targets: Any) -> dict[str, Any]:
        """Return the metric objects, whose kind depends on the shapes of the first outputs and targets."""
        if isinstance(self._wanted, Mapping):
            return {name: metric.to(self.device) for name, metric in self._wanted.items()}
        if self._wanted and not isinstance(outputs, Tensor):
            raise TrainingError(
                f"the model's outputs are a {type(outputs).__name__}, so {', '.join(self._wanted)} cannot be measured:"
                " give Task(evaluate=…), which returns (loss, outputs, targets)"
            )
        return {name: metric_factory(name)(outputs, targets, self._logits).to(self.device) for name in self._wanted}


def _has_several_values(name: str) -> bool:
    return name == "confusion" or name.endswith("_class")
