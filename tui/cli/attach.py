"""The commands for a run that another process trains: `stoker attach` and `stoker send`."""

from __future__ import annotations

from pathlib import Path

import click

from stoker.engine.errors import RequestError
from stoker.engine.runs.commands import COMMANDS, Command
from stoker.engine.runs.folder import find_run

from . import launch
from .arguments import newest_run
from .options import display_options, runs_option
from .output import echo

PLAIN_COMMANDS = tuple(spec.name for spec in COMMANDS if spec.name != "set_learning_rate")
"""The commands that are written by their names; `set_learning_rate` is written as `lr=0.001`."""
SEND_HELP = "\b\n" + "\n".join(
    f"{'lr=X' if spec.name == 'set_learning_rate' else spec.name:<9} {spec.help}" for spec in COMMANDS
)


@click.command()
@click.argument("name", required=False, metavar="[RUN]")
@runs_option
@display_options
def attach(name: str | None, runs_folder: Path) -> int:
    """Open the dashboard of RUN, which may train in another process or have ended. Without RUN: of the newest run."""
    folder = find_run(runs_folder, name) if name else newest_run(runs_folder)
    if not launch.at_terminal():
        raise RequestError("`stoker attach` needs a terminal: without one use `stoker ls` and `stoker send`")
    return launch.open_dashboard(folder)


@click.command(epilog=SEND_HELP)
@click.argument("name", metavar="RUN")
@click.argument("request", metavar="|".join((*PLAIN_COMMANDS, "lr=X")))
@click.option("--release", is_flag=True, help="With pause: release GPU memory until the run is resumed.")
@runs_option
def send(name: str, request: str, release: bool, runs_folder: Path) -> int:
    """Send a command to the engine that trains RUN, and wait for its answer. Exit code 1 if the command failed."""
    from stoker.engine.runs.client import send_command

    command = parse_command(request, release=release)
    answer = send_command(find_run(runs_folder, name), command, lambda line: echo(line, err=True))
    echo(answer.message, err=answer.status != "done")
    return 0 if answer.status == "done" else 1


def parse_command(text: str, *, release: bool = False) -> Command:
    """Return the command for `pause`, `resume`, `save`, `evaluate`, `stop` or `lr=0.001`. Raises RequestError."""
    name, equals, value = text.partition("=")
    if name == "lr" and equals:
        try:
            return Command(command="set_learning_rate", lr=float(value))
        except ValueError:
            raise RequestError(f"invalid learning rate {value!r}: write a number above 0, as in lr=0.001") from None
    if text not in PLAIN_COMMANDS:
        raise RequestError(f"unknown command {text!r}: write {', '.join(PLAIN_COMMANDS)} or lr=X")
    if release and text != "pause":
        raise RequestError(f"--release works only with pause, not with {text}")
    return Command(command=text, release=release)
