"""Try a few rows of the evaluation data before the first step, so that a run does not fail only after its first epoch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, cast

from torch import Tensor

from ..data.batches import Batches
from ..data.tensor_batches import TensorBatches
from ..tasks.user_errors import one_line
from .trainer import Trainer

ROWS = 8  # rows that are evaluated: their forward pass costs nothing to notice


class _Rows:
    """One batch of the first rows of tensors in memory."""

    def __init__(self, tensors: tuple[Tensor, ...]) -> None:
        self._batch = tuple(tensor[:ROWS] for tensor in tensors)

    def epoch(self, _epoch: int, _start: int = 0) -> Iterator[Any]:
        yield self._batch


def evaluation_problem(trainer: Trainer) -> str | None:
    """Return why an evaluation of a new run will fail, in one line; None if it works, or if trying might change anything.

    Tried are tensors in memory with torch's own way to evaluate: a function or a data set of the user's may count.
    """
    task, batches = trainer.task, trainer.evaluation.batches
    if trainer.device.type != "cpu":
        return None  # an assertion on a GPU, as for a wrong label, would end its use in this process
    own = task.evaluate is not None or isinstance(task.metrics, Mapping) or trainer.settings.compile
    if own or trainer.state.progress.step or not isinstance(batches, TensorBatches):
        return None
    try:
        with warnings.catch_warnings():
            # Metrics warn of classes that so few rows lack.
            warnings.simplefilter("ignore")
            trainer.evaluation.try_batches(cast(Batches, _Rows(batches.tensors)))
    except Exception as error:  # the user's model may raise anything
        return f"The first evaluation will fail: {one_line(error)}."
    return None
