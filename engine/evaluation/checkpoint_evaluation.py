"""Measures a run's checkpoint again: the task's metrics, and for classifiers the confusion matrix and each class."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import torch

from ..checkpoints import files as checkpoint
from ..data import factory as data
from ..devices import choose
from ..errors import CheckpointError, StokerError, TrainingError
from ..export.weights import source
from ..runs.folder import Record, RunFolder
from ..session import summary
from ..tasks.building import build, divided
from ..tasks.loading import describe
from ..training import state
from .classification import PerClass
from .evaluator import Evaluator


def evaluate(folder: RunFolder, which: str | None = None) -> dict[str, Any]:
    """Return what a checkpoint is worth on the test data, or else the validation data.

    It is `best`, `latest` or a path; None is best where there is one, and else the latest, as `export` takes it.
    The result is plain data: `run`, `checkpoint`, `step`, `split`, `metrics` and, for a classifier, `classes`,
    `confusion` (rows are true classes) and `per_class`. The best of a run of several folds are those of every fold:
    `metrics` are then their means, with `_std` the standard deviations, and `folds` holds each one's result.
    Raises RequestError, and TrainingError where the task's own code fails.
    """
    record = folder.record()
    folds = _best_of_folds(folder) if which in (None, "best") else []
    if not folds:
        return _measured(folder, record, source(folder, which))
    results = [_measured(folder, record, path) for path in folds]
    means = summary([result["metrics"] for result in results])
    names = ", ".join(path.name for path in folds)
    first = {key: results[0][key] for key in ("run", "split")}
    return {**first, "checkpoint": names, "step": results[0]["step"], "metrics": means, "folds": results}


def _measured(folder: RunFolder, record: Record, path: Path) -> dict[str, Any]:
    saved = checkpoint.read(path)
    task, settings, _ = build(record)
    device = choose(settings.device)
    task = divided(task, settings, saved["progress"].get("fold", 0))
    split, part = ("test", task.test) if task.test is not None else ("val", task.val)
    if part is None:
        raise CheckpointError(f"run {folder.name} has no data to evaluate on")
    state.load_model(task.model, saved["model"])
    model = task.model.to(device)
    if settings.channels_last:
        model = model.to(memory_format=torch.channels_last)
    half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(settings.precision)
    autocast = torch.autocast(device.type, half) if half else contextlib.nullcontext()
    evaluator = Evaluator(task, model, device, autocast)
    evaluator.metrics = metrics = PerClass(task.metrics, device, task.loss)
    try:
        values = evaluator.measure(data.evaluation_batches(part, settings, device, task))
    except StokerError:
        raise
    except (Exception, SystemExit) as error:
        raise TrainingError(f"task {record.task} cannot be evaluated: {describe(error)}") from error
    result = {"run": folder.name, "checkpoint": path.name, "step": saved["progress"]["step"], "split": split}
    result["metrics"] = values
    if (tables := metrics.tables()) is not None:
        names = list(task.classes)
        count = len(tables["confusion"])
        result["classes"] = names if len(names) == count else [str(number) for number in range(count)]
        result |= tables
    return result


def _best_of_folds(folder: RunFolder) -> list[Path]:
    if (folder.checkpoints / checkpoint.BEST).exists():
        return []
    found = folder.checkpoints.glob(f"fold-*-{checkpoint.BEST}")
    return sorted(found, key=lambda path: int(path.name.split("-")[1]))
