"""Build the task and the settings of a run from its record."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection
from typing import Any

import torch
from torch.utils.data import DataLoader

from ..config.fields import flag
from ..config.settings import Settings
from ..data import download, splits
from ..data.factory import is_plain_loader
from ..errors import RequestError, SettingError, StokerError, TaskError
from ..runs.record import Record
from ..seeding import reseed
from . import loading, parameters
from .task import Task
from .user_errors import is_refusal, one_line
from .validation import validate_task

OWN_OPTIMIZER = "own"
"""The setting `optimizer` of a task that makes its optimizer itself."""


def build_task(
    record: Record,
    on_progress: Callable[[str], None] | None = None,
    function: Callable[..., Task] | None = None,
) -> tuple[Task, Settings, Record]:
    """Call the task's function and return (task, settings, record with all parameters).

    The settings are the defaults, overridden by the task's and then by the command line's. `on_progress` is called with
    progress lines of a download; by default they go to stderr. `function` makes the task instead of the one that the record
    names. Raises RequestError, and its subclasses TaskError, ParameterError and SettingError.
    """
    if function is None and record.task.endswith(".py"):
        raise RequestError(
            f"run {record.run} is the script {record.task}, which alone builds its model and its data: run the script"
            f" again, by `stoker resume {record.run}` or with stoker.Run(name={record.run!r}, resume='allow')"
        )
    if function is None:
        function = loading.find_task(record.task)
    values = parameters.convert(function, record.parameters)
    # Checked without the task first, so that a wrong value is refused before data is loaded.
    given = Settings.of(record.given)
    reseed(given.seed)
    torch.manual_seed(given.seed)  # of every device: the task may build its model on one
    try:
        with download.using(given.data, on_progress):
            task = function(**values)
    except StokerError:
        raise
    except (Exception, SystemExit) as error:
        # If the task's own code refuses a value or exits, its line is enough.
        if not isinstance(error, SystemExit) and not is_refusal(error):
            traceback.print_exc()
        raise RequestError(f"task {record.task} cannot be built: {one_line(error)}") from error
    if not isinstance(task, Task):
        raise RequestError(f"{record.task} returned a {type(task).__name__}, not a stoker.Task")
    validate_task(task)
    settings = _settings(task, record)
    record.parameters = values
    return task, settings, record


def _settings(task: Task, record: Record) -> Settings:
    """Return the settings from three layers: implied by the task's data, the task's own, the command line's."""
    implied: dict[str, Any] = {}
    fixed: dict[str, Any] = {}
    if isinstance(task.train, DataLoader):
        implied = {"batch_size": task.train.batch_size, "workers": task.train.num_workers}
        if not is_plain_loader(task.train):
            fixed, where = implied, f"`{type(task.train).__name__}` of the task has its own: set it there"
            _refuse(record, fixed, where)
    if task.optimizer is not None:
        _refuse(record, {"optimizer": None}, "the task makes its own optimizer: leave the option out")
        fixed = {**fixed, "optimizer": OWN_OPTIMIZER}
    if task.test is None and task.val is None:
        implied["split"] = "holdout:0.2"
        if "split" not in task.settings and "split" not in record.given and not splits.indexable(task.train):
            raise TaskError(
                "the task has no test data: give Task(test=…). A fifth of the training data cannot be held out, because"
                f" {type(task.train).__name__} cannot be indexed"
            )
    settings = Settings.of(implied, dict(task.settings), record.given, fixed)
    if settings.split is None and "split" in implied:
        raise SettingError("--split none leaves nothing to evaluate on: give Task(test=…)")
    return settings


def _refuse(record: Record, names: Collection[str], reason: str) -> None:
    """Refuse options that have no effect on this task. Raises SettingError."""
    for name in names:
        if name in record.given:
            raise SettingError(f"{flag(name)} {record.given[name]} has no effect: {reason}")
