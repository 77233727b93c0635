"""The command line. Nothing here waits for torch: the first frame is drawn while it is still loading."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from stoker.engine.config.settings import Settings
from stoker.engine.errors import ParameterError, RequestError, RunError, StokerError
from stoker.engine.launch.process import describe
from stoker.engine.runs import folder as runs
from stoker.engine.runs.extend import LIMITS, prolong
from stoker.engine.tasks import loading
from stoker.engine.tasks.builtin import NAMES

from . import launch as opening
from . import options as setting_options
from .display import display_options

EXPORTS = "weights.safetensors, weights.pt, model.pt, metrics.csv, curves.png or tensorboard/"
RESUMABLE = ("paused", "lost", "stopped", "failed", "new")

runs_option = click.option(
    "--runs",
    "runs_folder",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    metavar="DIR",
    help="Folder of runs.",
    show_default=True,
)
headless_option = click.option("--headless", is_flag=True, help="Plain lines instead of the dashboard.")
json_option = click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")


@click.group(
    invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="stoker")
@runs_option
@display_options
@click.pass_context
def stoker(context: click.Context, runs_folder: Path) -> int:
    """Train a PyTorch model and tend the run from the terminal; alone, list the runs: open, resume, compare, delete."""
    if context.invoked_subcommand is not None:
        # Given before the command it holds for the command.
        context.default_map = {context.invoked_subcommand: {"runs_folder": runs_folder}}
        return 0
    return opening.listed(runs_folder) if opening.at_terminal() else _ls(runs_folder)


@stoker.command()
@click.argument("task", required=False)
@click.argument("parameters", nargs=-1, metavar="[PARAM=VALUE]...")
@click.option(
    "--like",
    metavar="RUN",
    help="Take task, parameters and settings of an earlier run; what is given here comes first.",
)
@setting_options.settings
@click.option("--name", help="The run's name; task and time otherwise.")
@runs_option
@headless_option
@json_option
@click.option("--background", is_flag=True, help="Train in a process of its own, and attach to it.")
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
    """Train TASK: a built-in name, or FILE.py:FUNCTION of your own.

    `stoker tasks` lists the built-in tasks and their parameters.
    """
    if like and task and "=" in task:
        # With --like there is no task to name: what stands first is a parameter.
        parameters = (task, *parameters)
        task = None
    values: dict[str, Any] = _parameters(parameters)
    given = setting_options.given(options)
    if like:
        record = runs.find(runs_folder, like).record()
        if task not in (None, record.task):
            raise RequestError(f"run {like} is of task {record.task}: give no other with --like")
        task = record.task
        values, given = {**record.parameters, **values}, {**record.given, **given}
    if task is None:
        raise RequestError(f"which task? the built-in ones are {', '.join(NAMES)}; your own is FILE.py:FUNCTION")
    Settings.of(given)
    loading.check_early(task, values)
    folder = runs.create(runs_folder, _located(task), name, {"parameters": values, "given": given})
    try:
        if background:
            opening.background(folder)
            return 0 if headless or not opening.at_terminal() else opening.attached(folder)
        return opening.host(folder, None, headless, as_json)
    except RequestError:
        _remove_unused(folder)
        raise


@stoker.command()
@click.argument("name", required=False, metavar="[RUN]")
@click.option("--from", "checkpoint", metavar="latest|best|PATH", help="Checkpoint to go on from.")
@click.option("--epochs", metavar="N", help="Train until this epoch, also where the run was complete.")
@click.option("--patience", metavar="N", help="Evaluations without a better value before it stops; 'none': never.")
@runs_option
@headless_option
@json_option
@display_options
def resume(
    name: str | None,
    checkpoint: str | None,
    epochs: str | None,
    patience: str | None,
    runs_folder: Path,
    headless: bool,
    as_json: bool,
) -> int:
    """Go on with RUN from its latest checkpoint; without RUN, with the newest that can go on."""
    more = setting_options.given({"epochs": epochs, "patience": patience})
    fitting = (*RESUMABLE, *LIMITS) if more else RESUMABLE
    folder = runs.find(runs_folder, name) if name else _newest(runs_folder, fitting, "go on")
    before = prolong(folder, **more) if more else None
    try:
        return opening.host(folder, checkpoint, headless, as_json)
    except RequestError:
        if before is not None:
            folder.write_record(before)
        raise


@stoker.command()
@click.argument("name", required=False, metavar="[RUN]")
@runs_option
@display_options
def attach(name: str | None, runs_folder: Path) -> int:
    """Open the dashboard of RUN, wherever it trains; without RUN, of the newest."""
    folder = runs.find(runs_folder, name) if name else _newest(runs_folder, None, "be shown")
    if not opening.at_terminal():
        raise RequestError("attach needs a terminal: `stoker ls` and `stoker send` work without one")
    return opening.attached(folder)


@stoker.command()
@click.argument("name", metavar="RUN")
@click.argument("request", metavar="pause|resume|save|evaluate|stop|lr=X")
@click.option("--release", is_flag=True, help="With pause: give the GPU's memory back until resume.")
@runs_option
def send(name: str, request: str, release: bool, runs_folder: Path) -> int:
    """Ask the engine that trains RUN, and wait for its answer; exit code 0 only if it was done."""
    from stoker.engine.runs.client import ask, command

    answer = ask(runs.find(runs_folder, name), command(request, release=release))
    click.echo(answer.message, err=answer.status != "done")
    return 0 if answer.status == "done" else 1


@stoker.command()
@runs_option
@json_option
def ls(runs_folder: Path, as_json: bool) -> int:
    """List the runs, newest first."""
    return _ls(runs_folder, as_json)


@stoker.command()
@json_option
def tasks(as_json: bool) -> int:
    """List the built-in tasks and their parameters."""
    from ..console import task_table as built_in

    found = built_in.tasks()
    click.echo(json.dumps(found, indent=2) if as_json else built_in.listed(found))
    return 0


@stoker.command()
@click.argument("names", metavar="RUN RUN...", nargs=-1, required=True)
@runs_option
@display_options
def compare(names: tuple[str, ...], runs_folder: Path) -> int:
    """Show the curves of several runs, what was set differently in them, and what came of it."""
    folders = [runs.find(runs_folder, name) for name in names]
    if opening.at_terminal():
        return opening.compared(folders, runs_folder)
    from ..state.comparison import table

    click.echo(table(folders))
    return 0


@stoker.command()
@click.argument("name", metavar="RUN")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), metavar="FILE", help=EXPORTS)
@click.option("--checkpoint", metavar="best|latest|PATH", help="Of which the model is taken; best where there is one.")
@runs_option
def export(name: str, target: Path, checkpoint: str | None, runs_folder: Path) -> int:
    """Write a run's model or curves for other programs."""
    from stoker.engine.export.export import write

    click.echo(f"wrote {target} from {write(runs.find(runs_folder, name), checkpoint, target)}")
    return 0


@stoker.command()
@click.argument("name", metavar="RUN")
@click.option("--checkpoint", metavar="best|latest|PATH", help="Which one; best where there is one.")
@runs_option
@json_option
def evaluate(name: str, checkpoint: str | None, runs_folder: Path, as_json: bool) -> int:
    """Measure a checkpoint of RUN on its evaluation data."""
    folder = runs.find(runs_folder, name)
    from stoker.engine.evaluation.checkpoint_evaluation import evaluate as measure

    result = measure(folder, checkpoint)
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        from ..console.evaluation_table import measured

        click.echo(measured(result))
    return 0


def main() -> None:
    """Run the command line; a wrong request is one line on stderr and exit code 2."""
    try:
        code = stoker.main(standalone_mode=False)
    except click.exceptions.Exit as end:
        code = end.exit_code
    except click.Abort:
        code = 130
    except click.ClickException as error:
        click.echo(f"stoker: {error.format_message()}", err=True)
        code = 2
    except StokerError as error:
        click.echo(describe(error), err=True)
        code = error.exit_code
    except BrokenPipeError:
        # Whoever read our lines is gone; nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 1
    sys.exit(code or 0)


def _ls(runs_folder: Path, as_json: bool = False) -> int:
    from ..state.run_summary import summarise, table

    rows = [summarise(folder) for folder in runs.list_runs(runs_folder)]
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))
    else:
        click.echo(table(rows) if rows else f"no runs in {runs_folder}: `stoker run iris` makes one")
    return 0


def _parameters(texts: tuple[str, ...]) -> dict[str, str]:
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ParameterError(f"{text!r} is no parameter: write PARAM=VALUE")
        if name in values:
            raise ParameterError(f"{name} is given twice: {name}={values[name]} and {text}")
        values[name] = value
    return values


def _located(task: str) -> str:
    """Return the task with its file's whole path, so that it can be resumed from another folder."""
    where, colon, function = task.rpartition(":")
    return f"{Path(where).resolve()}:{function}" if colon and where.endswith(".py") else task


def _newest(runs_folder: Path, states: tuple[str, ...] | None, what: str) -> runs.RunFolder:
    for folder in runs.list_runs(runs_folder):
        if states is None or (folder.state() in states and not folder.locked()):
            return folder
    raise RunError(f"no run in {runs_folder} can {what}: `stoker ls` lists them")


def _remove_unused(folder: runs.RunFolder) -> None:
    """Remove the folder of a run that never began, so that its name is free for the corrected request."""
    if not folder.events.exists() or not folder.events.stat().st_size:
        import shutil

        shutil.rmtree(folder.path)
