"""Makes a run's task and settings, and divides its data into the parts to train and to evaluate on."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch.utils.data import DataLoader

from ..config.settings import Settings
from ..data import download as datasets
from ..data import splits
from ..data.factory import in_memory
from ..errors import RequestError, SettingError, StokerError, TaskError
from ..runs import extend as prolong
from ..runs.folder import Record
from ..seeding import reseed
from . import loading, parameters
from .task import Task
from .validation import check


def build(record: Record, tell: Callable[[str], None] | None = None) -> tuple[Task, Settings, Record]:
    """Make the task and the settings of a run, and put what they came to into its record.

    `tell` is called with lines about a download, which are printed otherwise. Raises RequestError.
    """
    function = loading.find(record.task)
    values = parameters.convert(function, record.parameters)
    # Once without the task, so that a wrong value is refused before data is loaded.
    given = Settings.of(record.given)
    reseed(given.seed)
    try:
        with datasets.using(given.data, tell):
            task = function(**values)
    except StokerError:
        raise
    except (Exception, SystemExit) as error:
        # Where the task's own code refuses a value or ends the program, its line says enough.
        if not isinstance(error, SystemExit) and not loading.refusal(error):
            traceback.print_exc()
        raise RequestError(f"task {record.task} cannot be built: {loading.describe(error)}") from error
    if not isinstance(task, Task):
        raise RequestError(f"{record.task} returned a {type(task).__name__}, not a stoker.engine.Task")
    check(task)
    own: dict[str, Any] = {}
    if isinstance(task.train, DataLoader):
        own = {"batch_size": task.train.batch_size, "workers": task.train.num_workers}
    if task.test is None and task.val is None:
        own["split"] = "holdout:0.2"
        if "split" not in task.settings and "split" not in record.given and not splits.indexable(task.train):
            raise TaskError(
                "give Task(test=…): a fifth can be held out only of data that can be indexed, and"
                f" {type(task.train).__name__} cannot be"
            )
    settings = Settings.of(own, dict(task.settings), record.given)
    if settings.split is None and "split" in own:
        raise SettingError("--split none leaves nothing to evaluate on: give Task(test=…)")
    record.parameters = values
    return task, settings, record


def divided(task: Task, settings: Settings, fold: int) -> Task:
    """Return the task with its data split as the settings say, and prepared by what its training part teaches."""
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


def changes(record: Record, sources: dict[str, str], then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Say which of a task's files and default settings are not those that the run was started with."""
    found = [f"{name} is new" for name in sources if name not in record.sources]
    found += [f"{name} is gone" for name in record.sources if name not in sources]
    found += [f"{name} has changed" for name, value in sources.items() if record.sources.get(name, value) != value]
    both = [name for name in now if name in then and name not in prolong.given(record)]
    return found + [f"{name} was {then[name]}, is {now[name]}" for name in both if then[name] != now[name]]


def _tensors(data: Any) -> tuple[torch.Tensor, ...]:
    tensors = in_memory(data)
    if tensors is None:
        raise RequestError("a task's prepare works on in-memory tensors alone")
    return tensors
