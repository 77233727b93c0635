"""Evaluate a model on one part of the data, without changing the model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..data.batches import Batches, batch_size_of, call_model, split_batch
from ..tasks.task import Task
from ..tasks.validation import validate_loss
from .metrics import Metrics
from .preserve import Preserved


class Evaluator:
    """Measures the loss and the task's metrics of a model."""

    def __init__(
        self,
        task: Task,
        forward: nn.Module,
        autocast: contextlib.AbstractContextManager[Any],
        metrics: Metrics,
        preserved: Preserved | None = None,
    ) -> None:
        """Evaluate `forward`, the model or its compiled form, by `metrics`.

        `preserved` keeps what the evaluation of a model that is being trained must not change.
        """
        self._task, self._forward, self._autocast = task, forward, autocast
        self._source = "evaluate" if task.evaluate is not None else "loss"
        self._preserved = preserved or Preserved(forward, task.loss)
        self.metrics = metrics

    def measure(self, batches: Batches, between_batches: Callable[[], None] | None = None) -> dict[str, float]:
        """Return the metrics over `batches`; `between_batches` is called after each and may raise to end it.

        Raises TrainingError where the task returns no loss.
        """
        self.metrics.reset()
        self._preserved.take()
        self._forward.eval()
        try:
            with torch.no_grad():
                for batch in batches.epoch(0):
                    with self._autocast:
                        loss, outputs, targets = self._forward_batch(batch)
                    validate_loss(loss, self._source)
                    self.metrics.update(loss, outputs, targets, batch_size_of(batch))
                    if between_batches is not None:
                        between_batches()
        finally:
            self._preserved.put_back()
        return self.metrics.compute()

    def _forward_batch(self, batch: Any) -> tuple[Tensor, Any, Any]:
        """Return loss (), outputs and targets of one batch."""
        if self._task.evaluate is not None:
            loss, outputs, targets = self._task.evaluate(self._forward, batch)
            return loss, outputs, targets
        inputs, targets = split_batch(batch, "evaluate")
        assert self._task.loss is not None
        outputs = call_model(self._forward, inputs)
        return self._task.loss(outputs, targets), outputs, targets
