"""Try one batch of training and one of evaluation, in the training that a run would start."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

from ..data.batches import Batches
from ..errors import RequestError, TrainingError
from ..runs.commands import Controls
from ..runs.events import Event, Warned
from ..runs.folder import RunFolder
from ..session import train
from ..tasks.task import Task
from ..tasks.user_errors import one_line
from ..training import misfit
from ..training.trainer import Trainer
from .report import Report


class _Seen(RequestError):
    """The check has seen enough: the training ends before its first step."""


def try_batches(folder: RunFolder, report: Report, function: Callable[..., Task] | None = None) -> None:
    """Build the run's training, try a batch of each kind, and add what was found to `report`. Nothing is saved.

    Raises RequestError where the run could not begin.
    """

    def listen(event: Event) -> None:
        if isinstance(event, Warned) and event.kind in ("inexact", "note"):
            report.add("inexact" if event.kind == "inexact" else "note", event.message)

    def ready(trainer: Trainer) -> None:
        _train_one(trainer, report)
        if all(finding.kind != "misfit" for finding in report.findings):
            _evaluate_one(trainer, report)
        raise _Seen

    with contextlib.suppress(_Seen):
        train(folder, Controls(), listen, function=function, on_ready=ready)


class FewBatches:
    """The first batches of an evaluation: enough to see that it works."""

    def __init__(self, batches: Batches, most: int) -> None:
        """Yield at most the first `most` of `batches`."""
        self._batches, self._most = batches, most

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batches, name)

    def __len__(self) -> int:
        return min(self._most, len(self._batches))

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """Yield the first batches of an epoch."""
        for number, batch in enumerate(self._batches.epoch(epoch, start)):
            if number == self._most:
                return
            yield batch


def _train_one(trainer: Trainer, report: Report) -> None:
    """Take one training batch."""
    try:
        batch = next(iter(trainer.state.batches.epoch(0)), None)
    except Exception as error:  # the user's data may raise anything
        report.add("misfit", f"The first training batch cannot be read: {one_line(error)}.")
        return
    if batch is None:
        report.add("misfit", "The training data is empty.")
        return
    try:
        line = misfit.explain(trainer.task, trainer.state.model, batch) if trainer.task.step is None else None
        if line is None:
            trainer.step.run(batch)
    except Exception as error:  # the user's code may raise anything
        described = misfit.describe(batch)
        report.add("misfit", f"A training batch ({described}) fails: {_reason(error)}.")
        return
    if line is not None:
        report.add("misfit", f"A training batch does not fit: {line}.")
        return
    drained = trainer.state.losses.drain(1, 1, trainer.state.lr)[0]
    loss = float(drained.losses[0] if drained is not None else trainer.state.window[0])
    if not math.isfinite(loss):
        report.add("misfit", f"The loss of the first training batch ({misfit.describe(batch)}) is {loss}.")
    # Objects of the task's own that the batch has changed.
    trainer.flush()


def _evaluate_one(trainer: Trainer, report: Report) -> None:
    """Take one evaluation batch."""
    evaluation = trainer.evaluation
    try:
        evaluation.measure_on(
            FewBatches(evaluation.batches, 1), evaluation.split, "schedule", trainer.position, lambda: None
        )
    except Exception as error:  # the user's code may raise anything
        report.add("misfit", f"An evaluation batch fails: {_reason(error)}.")


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, RequestError | TrainingError) else one_line(error)
