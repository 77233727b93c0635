"""Evaluate a model on one part of the data, without changing the model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..accelerator.memory import empty_cache, is_out_of_memory
from ..data.batches import Batches, batch_size_of, call_model, split_batch
from ..data.tensor_batches import TensorBatches
from ..errors import TrainingError
from ..seeding import Stream, reseed, reseed_torch, seed_for
from ..tasks.randomness import uses_python_or_numpy_rng
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
        seed: int,
        preserved: Preserved | None = None,
    ) -> None:
        """Evaluate `forward`, the model or its compiled form, by `metrics`; `seed` is the run's.

        `preserved` keeps what the evaluation of a model that is being trained must not change.
        """
        self._task, self._forward, self._autocast = task, forward, autocast
        self._source = "evaluate" if task.evaluate is not None else "loss"
        self._seed = seed
        # Metrics that the task made may draw from anywhere, as its functions may.
        plain = task.evaluate is None and not isinstance(task.metrics, Mapping)
        self._reseed = reseed_torch if plain and not uses_python_or_numpy_rng(task) else reseed
        self._preserved = preserved or Preserved(forward, task.loss)
        self.metrics = metrics

    def measure(
        self,
        batches: Batches,
        step: int,
        between_batches: Callable[[], None] | None = None,
        on_smaller_batches: Callable[[int], None] | None = None,
    ) -> dict[str, float]:
        """Return the metrics over `batches` after `step` optimizer steps.

        `between_batches` is called after each batch and may raise to end the evaluation. What a batch draws is a
        function of (seed, step, number of the batch). Where the device has too little memory, tensors in memory are
        evaluated again in batches of half the size, and `on_smaller_batches` is called with the size that fitted.

        Raises TrainingError where the task returns no loss, or where no size of a batch fits.
        """
        smaller = None
        while True:
            try:
                metrics = self._measure(batches, step, between_batches)
                break
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                line = str(error).partition("\n")[0]
            # Not inside the handler: the traceback there holds the memory.
            device = self.metrics.device
            empty_cache(device)
            smaller = batches.halve() if isinstance(batches, TensorBatches) else None
            if smaller is None:
                advice = "" if isinstance(batches, TensorBatches) else ": give its data a loader with smaller batches"
                raise TrainingError(f"out of memory on {device} in an evaluation{advice} ({line})")
        if smaller is not None and on_smaller_batches is not None:
            on_smaller_batches(smaller)
        return metrics

    def _measure(self, batches: Batches, step: int, between_batches: Callable[[], None] | None) -> dict[str, float]:
        self.metrics.reset()
        self._preserved.take()
        self._forward.eval()
        try:
            with torch.no_grad():
                for number, batch in enumerate(batches.epoch(0)):
                    self._reseed(seed_for(Stream.EVALUATION, self._seed, step, number), self.metrics.device)
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
