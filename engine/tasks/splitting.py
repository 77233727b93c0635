"""Split a task's data into the parts to train on and to evaluate on, for one fold of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from ..config.settings import Settings
from ..data import splits
from ..data.factory import in_memory
from ..errors import RequestError
from .task import Task


def split_task(task: Task, settings: Settings, fold: int) -> Task:
    """Return the task of fold number `fold`, from 0: its data split by the setting `split`, then prepared.

    The part held out becomes `test`, or `val` if the task has test data or there are several folds. `task.prepare` learns
    from the training part alone. Raises SettingError for an impossible split, RequestError if `prepare` or
    `--label-smoothing` does not fit the task.
    """
    if settings.label_smoothing:
        if not isinstance(task.loss, torch.nn.CrossEntropyLoss):
            raise RequestError("--label-smoothing needs a task whose loss is nn.CrossEntropyLoss")
        task.loss.label_smoothing = settings.label_smoothing
    if settings.split is not None:
        rows = splits.rows_of(task.train)
        part = splits.parts(settings.split, rows, splits.targets_of(task.train), settings.seed)[fold]
        train, held_out = splits.divide(task.train, part)
        if task.test is None and settings.folds == 1:
            task = replace(task, train=train, test=held_out)
        else:
            task = replace(task, train=train, val=held_out)
    if task.prepare is not None:
        transform = task.prepare(_tensors(task.train))
        train, test, val = (None if d is None else transform(_tensors(d)) for d in (task.train, task.test, task.val))
        task = replace(task, train=train, test=test, val=val)
    return task


def _tensors(data: Any) -> tuple[torch.Tensor, ...]:
    tensors = in_memory(data)
    if tensors is None:
        raise RequestError(f"the task's prepare needs tensors in memory, but the data is a {type(data).__name__}")
    return tensors
