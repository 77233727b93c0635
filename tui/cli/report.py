"""The commands that report on runs and write files for other programs; they train nothing."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from stoker.engine.export import formats
from stoker.engine.runs.events import encode_line
from stoker.engine.runs.folder import find_run, scan_runs

from . import launch
from .options import display_options, json_option, runs_option
from .output import echo, echo_lines


@click.command()
@runs_option
@json_option
def ls(runs_folder: Path, as_json: bool) -> int:
    """List the runs, newest first."""
    return print_runs(runs_folder, as_json)


def print_runs(runs_folder: Path, as_json: bool = False) -> int:
    """Print the list of runs, and return exit code 0."""
    from ..console.run_table import run_table
    from ..state.run_summary import summarise

    folders, unreadable = scan_runs(runs_folder)
    rows = [summarise(folder) for folder in folders]
    if as_json:
        echo_lines(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))
    else:
        echo_lines(run_table(rows) if rows else f"no runs in {runs_folder}: start one with `stoker run iris`")
    if unreadable:
        echo(f"stoker: {unreadable} folders in {runs_folder} may not be read and are not listed", err=True)
    return 0


@click.command()
@json_option
def tasks(as_json: bool) -> int:
    """List the built-in tasks and their parameters."""
    from ..console import task_table

    found = task_table.tasks()
    echo_lines(json.dumps(found, indent=2) if as_json else task_table.task_table(found))
    return 0


@click.command()
@click.argument("names", metavar="RUN RUN...", nargs=-1, required=True)
@runs_option
@display_options
def compare(names: tuple[str, ...], runs_folder: Path) -> int:
    """Compare several runs: their curves, the settings that differ, and the results."""
    folders = [find_run(runs_folder, name) for name in names]
    if launch.at_terminal():
        return launch.open_comparison(folders, runs_folder)
    from ..console.comparison_table import comparison_table

    echo_lines(comparison_table(folders))
    return 0


@click.command()
@click.argument("name", metavar="RUN")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), metavar="FILE", help=formats.names())
@click.option(
    "--checkpoint", metavar="best|latest|PATH", help="Checkpoint to export the model from (default: best, else latest)."
)
@runs_option
def export(name: str, target: Path, checkpoint: str | None, runs_folder: Path) -> int:
    """Write the model or the curves of RUN to a file for other programs."""
    from stoker.engine.export.export import write

    echo(f"wrote {target} from {write(find_run(runs_folder, name), checkpoint, target)}")
    return 0


@click.command()
@click.argument("name", metavar="RUN")
@click.option("--checkpoint", metavar="best|latest|PATH", help="Checkpoint to evaluate (default: best, else latest).")
@click.option("--device", metavar="NAME", help="Evaluate on another device: cpu, cuda, cuda:1, mps or auto.")
@runs_option
@json_option
def evaluate(name: str, checkpoint: str | None, device: str | None, runs_folder: Path, as_json: bool) -> int:
    """Evaluate a checkpoint of RUN on the run's evaluation data."""
    from stoker.engine.evaluation import checkpoint_evaluation

    from ..console.evaluation_table import evaluation_table

    result = checkpoint_evaluation.evaluate(find_run(runs_folder, name), checkpoint, device)
    echo_lines(json.dumps(json.loads(encode_line(result)), indent=2) if as_json else evaluation_table(result))
    return 0
