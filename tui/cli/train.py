"""The commands that train: `stoker run` and `stoker resume`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import click

from stoker.engine.config.settings import Settings
from stoker.engine.errors import RequestError
from stoker.engine.runs import folder as runs
from stoker.engine.runs.extend import LIMIT_BY_CAUSE, change_device, extend_run
from stoker.engine.runs.status import RESUMABLE
from stoker.engine.tasks import loading
from stoker.engine.tasks.builtin import TASK_NAMES

from . import launch, script
from .arguments import absolute_task, newest_run, parameter_values
from .options import display_options, given, headless_option, json_option, runs_option, setting_options


@click.command(cls=script.CommandWithScript)
@click.argument("task", required=False)
@click.argument("parameters", nargs=-1, metavar="[PARAM=VALUE]...")
@click.option(
    "--like",
    metavar="RUN",
    help="Take task, parameters and settings from an earlier run; values given here override them.",
)
@setting_options
@click.option("--name", help="Name of the run (default: the task and the time).")
@runs_option
@headless_option
@json_option
@click.option("--background", is_flag=True, help="Train in a background process, and attach to it.")
@display_options
def run(
    task: str | None,
    parameters: tuple[str, ...],
    like: str | None,
    name: str | None,
    runs_folder: Path,
    headless: bool,
    as_json: bool,
    background: bool,
    **options: Any,
) -> int:
    """Train TASK: the name of a built-in task, or FILE.py:FUNCTION for your own.

    `stoker tasks` lists the built-in tasks and their parameters.

    TASK can also be a script, FILE.py, with a loop of its own that calls stoker.Run or stoker.init. It runs in a
    process of its own. Options of stoker stand before FILE.py; everything after it belongs to the script.
    """
    if script.is_script(task):
        script.refuse_settings(str(task), like, given(options))
        folder = script.new_run(str(task), parameters, name, runs_folder)
        return script.train(folder, headless=headless, as_json=as_json, background=background)
    if like and task and "=" in task:
        # `stoker run --like RUN hidden=3` names no task: its first argument is a parameter.
        parameters = (task, *parameters)
        task = None
    values: dict[str, Any] = parameter_values(parameters)
    settings = given(options)
    if like:
        record = runs.find_run(runs_folder, like).record()
        if task not in (None, record.task):
            raise RequestError(f"run {like} has the task {record.task}, not {task}: leave the task out with --like")
        task = record.task
        values, settings = {**record.parameters, **values}, {**record.given, **settings}
    if task is None:
        raise RequestError(
            f"no task given: name a built-in task ({', '.join(TASK_NAMES)}) or your own as FILE.py:FUNCTION"
        )
    Settings.of(settings)
    loading.check_early(task, values)
    folder = runs.create(runs_folder, absolute_task(task), name, {"parameters": values, "given": settings})
    try:
        if background:
            launch.train_in_background(folder, as_json=as_json)
            alone = headless or as_json or not launch.at_terminal()
            return 0 if alone else launch.open_dashboard(folder)
        return launch.train_here(folder, None, headless, as_json)
    except RequestError:
        _remove_unused(folder)
        raise


@click.command()
@click.argument("name", required=False, metavar="[RUN]")
@click.option("--from", "checkpoint", metavar="latest|best|PATH", help="Checkpoint to resume from (default: latest).")
@click.option("--epochs", metavar="N", help="Train until this epoch; extends a completed run.")
@click.option(
    "--patience",
    metavar="N",
    help="Stop after this many evaluations without improvement ('none': never); extends a run that stopped early.",
)
@click.option("--device", metavar="NAME", help="Train on another device than before: cpu, cuda, cuda:1, mps or auto.")
@runs_option
@headless_option
@json_option
@display_options
def resume(
    name: str | None,
    checkpoint: str | None,
    epochs: str | None,
    patience: str | None,
    device: str | None,
    runs_folder: Path,
    headless: bool,
    as_json: bool,
) -> int:
    """Resume RUN from its latest checkpoint. Without RUN: the newest run that can be resumed."""
    limits = given({"epochs": epochs, "patience": patience})
    states = (*RESUMABLE, *LIMIT_BY_CAUSE) if limits else RESUMABLE
    folder = runs.find_run(runs_folder, name) if name else newest_run(runs_folder, states)
    if not limits and folder.record().script is not None:
        if checkpoint not in (None, "latest"):
            raise RequestError(
                f"run {folder.name} is a script, which continues from its latest checkpoint: leave out --from"
            )
        return script.train(folder, headless=headless, as_json=as_json)
    record = extend_run(folder, **limits) if limits else None
    if device is not None:
        before = change_device(folder, device)
        record = record or before
    try:
        return launch.train_here(folder, checkpoint, headless, as_json)
    except RequestError:
        if record is not None:
            folder.write_record(record)
        raise


def _remove_unused(folder: runs.RunFolder) -> None:
    """Remove the folder of a run that never started, so that the corrected command can use its name."""
    if not folder.events.exists() or not folder.events.stat().st_size:
        shutil.rmtree(folder.path)
