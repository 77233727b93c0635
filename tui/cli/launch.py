"""Start a dashboard, another screen, training with plain lines, or a background process, for the commands."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stoker.engine.launch.process import exit_code
from stoker.engine.runs.commands import Controls
from stoker.engine.runs.folder import RunFolder
from stoker.engine.text import printable

from ..console.progress import ProgressPrinter, json_line
from .options import ascii_given

if TYPE_CHECKING:
    from stoker.engine.launch.script import ScriptProcess

    from ..app.app import StokerApp


def train_here(folder: RunFolder, checkpoint: str | None, headless: bool, as_json: bool, *, hints: bool = False) -> int:
    """Train the run in this process and return the exit code; without a terminal, print plain lines.

    `hints` shows the hints of the demonstration.
    """
    if not (headless or as_json) and at_terminal():
        from ..backend.engine_thread import EngineThread

        app = _app(folder, engine=EngineThread(folder, checkpoint=checkpoint))
        if hints:
            app.dashboard.show_hints()
        return _run_app(app, folder.log)
    from stoker.engine.launch.process import run as train

    from ..console.streams import safe_output

    with safe_output(folder.log, exclusive=as_json) as write:
        printer = ProgressPrinter(write, folder.name, folder.last_events())
        emit = (lambda event: write(json_line(event))) if as_json else printer.emit
        controls = Controls(folder.commands)
        controls.unattended = "on_nan" not in folder.record().given
        return train(folder, controls, emit, checkpoint)[1]


def train_in_background(folder: RunFolder, checkpoint: str | None = None, *, as_json: bool = False) -> int:
    """Train the run in a background process, print how to attach to it, and return exit code 0.

    With `as_json` it prints an object with `run`, `folder` and `pid`.
    """
    from stoker.engine.launch.background import start

    pid = start(folder, checkpoint)
    if as_json:
        _print(json.dumps({"run": folder.name, "folder": str(folder.path), "pid": pid}))
        return 0
    _print(f"run {folder.name} trains in the background (process {pid}): attach with `stoker attach {folder.name}`")
    return 0


def open_dashboard(folder: RunFolder) -> int:
    """Show the dashboard of a run that another process trains, or that has ended; return the exit code."""
    return _run_app(_app(folder), folder.log)


def show_script(process: ScriptProcess) -> int:
    """Show the dashboard of a script in a process of its own; return the exit code of the app."""
    from ..backend.source import ScriptSource

    return _run_app(_app(process.folder, source=ScriptSource(process)), process.folder.log)


def open_run_list(runs_folder: Path) -> int:
    """Show the list of runs; return the exit code."""
    from ..screens.runs import RunsScreen

    return _run_app(_app(first=RunsScreen(runs_folder), runs=runs_folder), Path(os.devnull))


def open_comparison(folders: Sequence[RunFolder], runs_folder: Path) -> int:
    """Show the curves of several runs in one plot; return the exit code."""
    from ..screens.compare import Compare

    return _run_app(_app(first=Compare(folders), runs=runs_folder), Path(os.devnull))


def at_terminal() -> bool:
    """Return whether stdin and stdout are a terminal, so that the user can see a screen and press keys."""
    # Both are None where the shell closed them: `stoker ls >&-`.
    return all(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stdin))


def _app(folder: RunFolder | None = None, **screens: Any) -> StokerApp:
    """Create the app with the charset of the terminal and the user's preferences."""
    from ..app.app import StokerApp
    from ..app.preferences import PreferencesFile
    from ..terminal.charset import detect_charset

    charset = "ascii" if ascii_given() else detect_charset()
    return StokerApp(folder, charset=charset, preferences=PreferencesFile(), **screens)


def _run_app(app: StokerApp, log: Path) -> int:
    """Run the app until it ends, print how the training of this process ended, and return the exit code."""
    from ..app.terminal_session import show

    terminal_open = show(app, log)
    if app.engine is None:
        return app.return_code or 0
    if app.continues_in_background:
        # Also where the terminal has gone since the key: that is when the person needs it most.
        return train_in_background(app.engine.folder)
    if not terminal_open:
        # The terminal is gone, so print nothing: engine.log and events.jsonl record the end of the run.
        return exit_code(app.finished, app.engine.controls) if app.finished else 0
    if app.error is not None:
        raise app.error
    if app.finished is not None:
        folder = app.engine.folder
        ProgressPrinter(_print, folder.name, folder.last_events()).emit(app.finished)
    return app.return_code or 0


def _print(line: str) -> None:
    # The terminal may have gone since the app ended; that must not change the exit code.
    with contextlib.suppress(OSError):
        print(printable(line), flush=True)
