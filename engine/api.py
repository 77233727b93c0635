"""The functions that a script or a notebook calls: train, resume, evaluate, export, look up a run, send it a command."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .config.settings import Settings
from .errors import RequestError, TrainingError
from .runs.commands import COMMAND_NAMES, Command, Controls
from .runs.events import CommandAnswered, Event, ignore_event
from .runs.extend import change_device, extend_run
from .runs.folder import RunFolder, create, find_run
from .tasks.task import Task

TaskFunction = Callable[..., Task]
Listener = Callable[[Event], None]
RUNS = Path("runs")


def train(
    task: str | TaskFunction,
    *,
    name: str | None = None,
    runs: str | os.PathLike[str] = RUNS,
    parameters: dict[str, Any] | None = None,
    on_event: Listener | None = None,
    **settings: Any,
) -> RunFolder:
    """Train a task in this thread until it ends, and return its run folder.

    `task` is a built-in name, `FILE.py:FUNCTION`, `module:function`, or a function that returns a `Task`; `parameters`
    are that function's arguments. `settings` are those of `Settings`: `epochs=5, lr=0.1`. `on_event` is called with
    each event. Dashboards can attach meanwhile. Raises RequestError for a wrong request, TrainingError for a training
    that failed.
    """
    Settings.of(settings)
    record = {"parameters": parameters or {}, "given": settings}
    folder = create(Path(runs), task if isinstance(task, str) else _name_of(task), name, record)
    return _train(folder, None, on_event, None if isinstance(task, str) else task)


def resume(
    run: str | os.PathLike[str] | RunFolder,
    *,
    runs: str | os.PathLike[str] = RUNS,
    checkpoint: str | None = None,
    task: TaskFunction | None = None,
    device: str | None = None,
    on_event: Listener | None = None,
    **limits: Any,
) -> RunFolder:
    """Continue a run in this thread until it ends, and return its run folder.

    It continues from `checkpoint` (`latest`, `best` or a path; default: its newest good one). `limits` are `epochs` and
    `patience`, which make a finished run longer. `task` is the function that returns the `Task`, needed only where the
    run's record cannot name it. `device` is another one than before, such as `cpu`. Raises as `train` does, and
    CheckpointError where no checkpoint can be read.
    """
    folder = open_run(run, runs=runs)
    if limits:
        extend_run(folder, **limits)
    if device is not None:
        change_device(folder, device)
    return _train(folder, checkpoint, on_event, task)


def evaluate(
    run: str | os.PathLike[str] | RunFolder,
    *,
    runs: str | os.PathLike[str] = RUNS,
    checkpoint: str | None = None,
    device: str | None = None,
) -> dict[str, Any]:
    """Evaluate a checkpoint of a run (default: best, else latest); see `checkpoint_evaluation.evaluate` for the result.

    `device` is another one than the run's, such as `cpu`. Raises RequestError, and TrainingError where the task's own
    code fails.
    """
    from .evaluation.checkpoint_evaluation import evaluate as evaluate_checkpoint

    return evaluate_checkpoint(open_run(run, runs=runs), checkpoint, device)


def export(
    run: str | os.PathLike[str] | RunFolder,
    target: str | os.PathLike[str],
    *,
    runs: str | os.PathLike[str] = RUNS,
    checkpoint: str | None = None,
) -> Path:
    """Write a run's model or curves to `target`, whose name gives the format, and return its path.

    The names are those of `stoker export`: `weights.safetensors`, `weights.pt`, `model.pt`, `metrics.csv`,
    `curves.png`, `tensorboard/`. Raises RequestError.
    """
    from .export.export import write

    write(open_run(run, runs=runs), checkpoint, Path(target))
    return Path(target)


def open_run(run: str | os.PathLike[str] | RunFolder, *, runs: str | os.PathLike[str] = RUNS) -> RunFolder:
    """Return the run of that name in the folder `runs`, or at that path. Raises RunError."""
    return run if isinstance(run, RunFolder) else find_run(Path(runs), os.fspath(run))


def send(
    run: str | os.PathLike[str] | RunFolder,
    command: str,
    *,
    runs: str | os.PathLike[str] = RUNS,
    lr: float | None = None,
    release: bool = False,
) -> CommandAnswered:
    """Send a command to the engine that trains a run, wait, and return its answer.

    `command` is one of `stoker.engine.runs.commands.COMMANDS`; `lr` belongs to `set_learning_rate`, `release` to
    `pause`. The answer's `status` is `done` or `failed`. Raises RequestError for an unknown command, RunError where no
    engine trains the run.
    """
    from .runs.client import send_command

    if command not in COMMAND_NAMES:
        raise RequestError(f"unknown command {command!r}: choose from {', '.join(COMMAND_NAMES)}")
    return send_command(open_run(run, runs=runs), Command(command=command, lr=lr, release=release))


def _train(
    folder: RunFolder, checkpoint: str | None, on_event: Listener | None, function: TaskFunction | None
) -> RunFolder:
    from .session import train as train_folder

    emit = on_event or ignore_event
    finished = train_folder(folder, Controls(folder.commands), emit, checkpoint=checkpoint, function=function)
    if finished.cause == "failed":
        raise TrainingError(finished.message)
    return folder


def _name_of(function: TaskFunction) -> str:
    """Return the name by which the command line finds a task's function: `FILE.py:FUNCTION` or `module:function`."""
    if function.__module__ == "__main__":
        return f"{Path(inspect.getfile(function)).resolve()}:{function.__qualname__}"
    return f"{function.__module__}:{function.__qualname__}"
