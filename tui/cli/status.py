"""The command `stoker status`: one run in plain lines, once or at every change."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stoker.engine.runs.events import encode_line
from stoker.engine.runs.folder import RunFolder, find_run

from .arguments import newest_run
from .options import json_option, runs_option
from .output import echo

if TYPE_CHECKING:
    from ..backend.source import EventReader
    from ..state.run_view import RunView

POLL_INTERVAL = 1.0  # seconds between two reads with --watch


@click.command()
@click.argument("name", required=False, metavar="[RUN]")
@click.option("--watch", is_flag=True, help="Print a line at each change, until the run ends.")
@runs_option
@json_option
def status(name: str | None, watch: bool, runs_folder: Path, as_json: bool) -> int:
    """Print the state of RUN in a few plain lines. Without RUN: of the newest run. Exit code 1 if the run failed."""
    from ..backend.source import EventReader
    from ..console import status_lines
    from ..state.run_view import RunView

    folder = find_run(runs_folder, name) if name else newest_run(runs_folder)
    view, events = RunView(folder.name), EventReader(folder)
    _read(folder, view, events)
    if as_json:
        echo(_json(view))
    else:
        for line in status_lines.status_lines(view, time.time()):
            echo(line)
    shown = status_lines.change_of(view, time.time())
    while watch and view.alive and view.finished is None:
        time.sleep(POLL_INTERVAL)
        _read(folder, view, events)
        if (now := status_lines.change_of(view, time.time())) != shown:
            shown = now
            echo(_json(view) if as_json else now)
    return int(view.state == "failed")


def _json(view: RunView) -> str:
    from ..console.status_lines import status_dict

    # encode_line writes numbers that are not finite as strings, which JSON allows.
    return encode_line(status_dict(view, time.time())).decode().strip()


def _read(folder: RunFolder, view: RunView, events: EventReader) -> None:
    """Apply the new events."""
    # Ask before reading: an engine that has ended by now has written all its events.
    view.alive = folder.locked()
    while found := events.read():
        for event in found:
            view.apply(event)
    view.caught_up = True
