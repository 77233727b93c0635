"""The command for shell scripts: `stoker log`."""

from __future__ import annotations

from pathlib import Path

import click

from stoker.engine.errors import RequestError

from .options import runs_option


@click.command()
@click.argument("name", metavar="RUN")
@click.argument("entries", nargs=-1, metavar="NAME=VALUE...")
@click.option("--finish", is_flag=True, help="The run has ended well; without it the run is listed as interrupted.")
@click.option("--failed", is_flag=True, help="The run has failed.")
@runs_option
def log(name: str, entries: tuple[str, ...], finish: bool, failed: bool, runs_folder: Path) -> int:
    """Add numbers to RUN, which is made if it is not there: `stoker log RUN loss=0.3 step=10`.

    Without step=N each call is one step more. A value that is no number is shown as a text.
    """
    from stoker.engine.tracking.shell import log_line

    if not (entries or finish or failed):
        raise RequestError("nothing to log: write NAME=VALUE, as in loss=0.3, or --finish")
    log_line(runs_folder, name, entries, finish="failed" if failed else "completed" if finish else None)
    return 0
