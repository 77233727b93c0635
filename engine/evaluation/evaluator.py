"""Evaluates a model on one part of the data and leaves everything as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..data.batches import Batches, pair, samples_in
from ..runtime import loss_log as losses
from ..tasks.task import Task
from .metrics import Metrics


class Evaluator:
    """Measures the loss and the task's metrics of a model."""

    def __init__(
        self,
        task: Task,
        forward: nn.Module,
        device: torch.device,
        autocast: contextlib.AbstractContextManager[Any],
    ) -> None:
        """Evaluate `forward`, the model or its compiled form. Raises SettingError for an unknown metric."""
        self._task, self._forward, self._autocast = task, forward, autocast
        self._source = "evaluate" if task.evaluate is not None else "loss"
        self.metrics = Metrics(task.metrics, device, logits=isinstance(task.loss, nn.BCEWithLogitsLoss))

    def measure(self, batches: Batches, attend: Callable[[], None] | None = None) -> dict[str, float]:
        """Return the metrics over `batches`; `attend` is called between them, and may end it by raising."""
        self.metrics.reset()
        self._forward.eval()
        try:
            with torch.no_grad():
                for batch in batches.epoch(0):
                    with self._autocast:
                        loss, outputs, targets = self._outcome(batch)
                    losses.check(loss, self._source)
                    self.metrics.update(loss, outputs, targets, samples_in(batch))
                    if attend is not None:
                        attend()
        finally:
            self._forward.train()
        return self.metrics.compute()

    def _outcome(self, batch: Any) -> tuple[Tensor, Any, Any]:
        if self._task.evaluate is not None:
            loss, outputs, targets = self._task.evaluate(self._forward, batch)
            return loss, outputs, targets
        inputs, targets = pair(batch, "evaluate")
        assert self._task.loss is not None
        outputs = call(self._forward, inputs)
        return self._task.loss(outputs, targets), outputs, targets


def call(model: Callable[..., Any], inputs: Any) -> Any:
    """Return the model's outputs; several inputs are given as its arguments, a dict as its keywords."""
    if isinstance(inputs, list | tuple):
        return model(*inputs)
    if isinstance(inputs, dict):
        return model(**inputs)
    return model(inputs)


def length(batches: Batches) -> int | None:
    """Return the batches in an epoch, or None where that is not known."""
    try:
        return len(batches)
    except TypeError:
        return None
