"""Evaluate a run's checkpoint again: the task's metrics, and for classifiers the scores of each class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ..checkpoints import files as checkpoint_files
from ..checkpoints.compatibility import load_model
from ..checkpoints.lookup import find_checkpoint
from ..data.factory import evaluation_batches
from ..devices import autocast, choose_device
from ..errors import CheckpointError, RequestError, StokerError, TrainingError
from ..runs.folder import RunFolder
from ..runs.record import Record
from ..tasks.building import build_task
from ..tasks.splitting import split_task
from ..tasks.user_errors import one_line
from .classification import PerClass
from .evaluator import Evaluator
from .fold_summary import summarise_folds


def evaluate(folder: RunFolder, which: str | None = None, device: str | None = None) -> dict[str, Any]:
    """Evaluate a checkpoint on the test data, or on the validation data where there is no test data.

    `which` is `best`, `latest`, a path, or None for best where there is one and else latest. The result is plain data:
    `run`, `checkpoint`, `step`, `split` and `metrics` (name → value). A classifier adds `classes` (names), `confusion`
    (counts, classes × classes) and `per_class` (precision, recall, f1 and support of each class). The rows of the
    confusion matrix are true classes, its columns predicted ones. For the best of several folds, `metrics` are means,
    `NAME_std` sample standard deviations, and `folds` holds the result of each fold. `device` is another one than the
    run's, such as `cpu`.

    Raises RequestError, and TrainingError where the task's own code fails.
    """
    record = folder.record()
    if record.task.endswith(".py"):
        raise RequestError(
            f"run {folder.name} is the script {record.task}, which alone knows its evaluation: while it trains, use"
            f" `stoker send {folder.name} evaluate`"
        )
    if device is not None:
        record.given["device"] = device
    folds = _best_of_folds(folder) if which in (None, "best") else []
    if not folds:
        return _evaluate_file(folder, record, find_checkpoint(folder, which))
    results = [_evaluate_file(folder, record, path) for path in folds]
    means = summarise_folds([result["metrics"] for result in results])
    names = ", ".join(path.name for path in folds)
    first = {key: results[0][key] for key in ("run", "split")}
    return {**first, "checkpoint": names, "step": results[0]["step"], "metrics": means, "folds": results}


def _evaluate_file(folder: RunFolder, record: Record, path: Path) -> dict[str, Any]:
    saved = checkpoint_files.read(path)
    task, settings, _ = build_task(record)
    device = choose_device(settings.device)
    task = split_task(task, settings, saved["progress"].get("fold", 0))
    split, part = ("test", task.test) if task.test is not None else ("val", task.val)
    if part is None:
        raise CheckpointError(f"run {folder.name} has no data to evaluate on")
    load_model(task.model, saved["model"])
    model = task.model.to(device)
    if settings.channels_last:
        model = model.to(memory_format=torch.channels_last)
    if isinstance(task.loss, torch.nn.Module):
        task.loss.to(device)
    metrics = PerClass(task.metrics, device, task.loss)
    evaluator = Evaluator(task, model, autocast(device, settings.precision), metrics, settings.seed)
    batches = evaluation_batches(part, settings, device, collate=task.collate, options=task.loader)
    try:
        values = evaluator.measure(batches, saved["progress"]["step"])
    except StokerError:
        raise
    except (Exception, SystemExit) as error:
        raise TrainingError(f"task {record.task} cannot be evaluated: {one_line(error)}") from error
    result = {"run": folder.name, "checkpoint": path.name, "step": saved["progress"]["step"], "split": split}
    result["metrics"] = values
    if (tables := metrics.tables()) is not None:
        names = list(task.classes)
        count = len(tables["confusion"])
        result["classes"] = names if len(names) == count else [str(number) for number in range(count)]
        result |= tables
    return result


def _best_of_folds(folder: RunFolder) -> list[Path]:
    if (folder.checkpoints / checkpoint_files.BEST).exists():
        return []
    found = folder.checkpoints.glob(f"fold-*-{checkpoint_files.BEST}")
    return sorted(found, key=lambda path: int(path.name.split("-")[1]))
