"""What a command opens: a dashboard, another screen, plain lines, or a process of its own; and how that ended."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stoker.engine.launch.process import exit_code
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Controls

from ..console.progress import Lines, json_line
from .display import ascii_asked

if TYPE_CHECKING:
    from ..app.app import StokerApp


def host(folder: runs.RunFolder, checkpoint: str | None, headless: bool, as_json: bool) -> int:
    """Train the run in this process: in a dashboard, or with plain lines where there is no terminal."""
    if not (headless or as_json) and at_terminal():
        return _dashboard(folder, checkpoint)
    from stoker.engine.launch.process import run as train

    from ..console.streams import lines

    with lines(folder.log, alone=as_json) as write:
        plain = Lines(write, folder.name, folder.last_events())
        say = (lambda event: write(json_line(event))) if as_json else plain.say
        return train(folder, Controls(folder.commands), say, checkpoint)[1]


def _dashboard(folder: runs.RunFolder, checkpoint: str | None) -> int:
    from ..backend.engine_thread import Host

    return _shown(_app(folder, host=Host(folder, checkpoint=checkpoint)), folder.log)


def _app(folder: runs.RunFolder | None = None, **screens: Any) -> StokerApp:
    """Make the app, as this terminal and this person want it."""
    from ..app.app import StokerApp
    from ..app.preferences import Remembered
    from ..terminal.charset import available

    characters = "ascii" if ascii_asked() else available()
    return StokerApp(folder, characters=characters, remembered=Remembered(), **screens)


def attached(folder: runs.RunFolder) -> int:
    """Show a run, wherever it trains."""
    return _shown(_app(folder), folder.log)


def listed(runs_folder: Path) -> int:
    """Show the list of runs."""
    from ..screens.runs import Runs

    return _shown(_app(first=Runs(runs_folder), runs=runs_folder), Path(os.devnull))


def compared(folders: Sequence[runs.RunFolder], runs_folder: Path) -> int:
    """Show the curves of several runs over each other."""
    from ..screens.compare import Compare

    return _shown(_app(first=Compare(folders), runs=runs_folder), Path(os.devnull))


def _shown(app: StokerApp, log: Path) -> int:
    """Run the app to its end, and say what became of the run that this process trained last."""
    from ..app.terminal_session import show

    there = show(app, log)
    if app.host is None:
        return app.return_code or 0
    if not there:
        # Nobody is there to read anything; engine.log and events.jsonl say how it went.
        return exit_code(app.finished, app.host.controls) if app.finished else 0
    if app.error is not None:
        raise app.error
    if app.detached and app.finished is not None and app.finished.cause == "stopped":
        return background(app.host.folder)
    if app.finished is not None:
        folder = app.host.folder
        Lines(_print, folder.name, folder.last_events()).say(app.finished)
    return app.return_code or 0


def background(folder: runs.RunFolder, checkpoint: str | None = None) -> int:
    """Train the run in a process of its own, and say so."""
    from stoker.engine.launch.background import start

    pid = start(folder, checkpoint)
    _print(f"run {folder.name} trains in the background (process {pid}): `stoker attach {folder.name}` shows it")
    return 0


def at_terminal() -> bool:
    """Say whether a person is there to see a screen and to press keys."""
    return sys.stdout.isatty() and sys.stdin.isatty()


def _print(line: str) -> None:
    # The run must not fail because the terminal that watched it is gone.
    with contextlib.suppress(OSError):
        print(line, flush=True)
