"""`stoker run FILE.py ARGS` and `stoker resume` of such a run: a script with a loop of its own."""

from __future__ import annotations

import ast
import signal
import sys
import time
import types
from pathlib import Path
from typing import Any

import click

from stoker.engine.config.fields import flag
from stoker.engine.errors import RequestError
from stoker.engine.launch.script import POLL_INTERVAL, ScriptProcess
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import END_SIGNALS
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runs.journal import EventFollower
from stoker.engine.runs.script import describe

from ..console.progress import ProgressPrinter, json_line
from ..console.streams import safe_output
from . import launch
from .output import echo

OPENING = 120.0  # seconds that `--background` waits until the script has opened its run
NOTHING_RUNS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Constant)


class CommandWithScript(click.Command):
    """A command whose options end at its first argument, if that is a script: all after it is the script's."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Parse the options, and leave those behind `FILE.py` alone."""
        context.allow_interspersed_args = False
        values, *_ = self.make_parser(context).parse_args(list(args))
        context.allow_interspersed_args = not is_script(values.get("task"))
        return super().parse_args(context, args)


def is_script(task: object) -> bool:
    """Return whether a task on the command line is a script: `FILE.py` without a function."""
    return isinstance(task, str) and task.endswith(".py")


def new_run(file: str, arguments: tuple[str, ...], name: str | None, runs_folder: Path) -> RunFolder:
    """Make the folder of a run of the script. Raises RequestError where there is nothing to run."""
    path = Path(file)
    if not path.is_file():
        raise RequestError(f"there is no file {path}")
    if not _runs_anything(path):
        from stoker.engine.tasks import loading

        loading.check_early(file, {})  # raises, and names the functions of the file
    script = describe(path, [sys.executable, file, *arguments])
    return runs.create(runs_folder, path.name, name, {"script": script, "given": {}})


def refuse_settings(file: str, like: str | None, settings: dict[str, Any]) -> None:
    """Refuse options that belong to a Task. Raises RequestError."""
    names = [*(["--like"] if like else []), *map(flag, settings)]
    if names:
        raise RequestError(
            f"{', '.join(names)} cannot change what the script {file} does: give the script its own arguments, behind"
            f" {file}"
        )


def train(folder: RunFolder, *, headless: bool, as_json: bool, background: bool = False) -> int:
    """Start the script of the run, show it, and return the exit code."""
    process = ScriptProcess(folder)
    at_terminal = launch.at_terminal()
    if background:
        opened = process.wait_until_opened(OPENING)
        if process.ended and not opened:
            return _explain(process)
        note = "" if opened else f"; it has not opened its run yet, see {folder.log}"
        echo(
            f"run {folder.name} trains in the background (process {process.pid}): attach with"
            f" `stoker attach {folder.name}`{note}"
        )
        return 0 if headless or not at_terminal else launch.open_dashboard(folder)
    if headless or as_json or not at_terminal:
        return _follow(process, as_json)
    code = launch.show_script(process)
    if process.ended:
        return _explain(process) if process.settle() else process.exit_code()
    echo(f"run {folder.name} goes on in process {process.pid}: attach with `stoker attach {folder.name}`")
    return code


def _follow(process: ScriptProcess, as_json: bool) -> int:
    """Print the events of the script's run until it ends. Signals go to the script, which saves and ends."""
    folder = process.folder
    events = EventFollower(folder.events, at_end=True)

    def forward(signum: int, _: types.FrameType | None) -> None:
        if not process.ended:
            process.send_signal(signum)

    before = {signum: signal.signal(signum, forward) for signum in END_SIGNALS}
    try:
        with safe_output(folder.log, exclusive=False) as write:
            printer = ProgressPrinter(write, folder.name, folder.last_events())
            while True:
                ended = process.ended
                for event in events.read_events():
                    write(json_line(event)) if as_json else printer.emit(event)
                if ended:
                    break
                time.sleep(POLL_INTERVAL)
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
    return _explain(process) if process.settle() else process.exit_code()


def _explain(process: ScriptProcess) -> int:
    """Print the end of the output of a script that never opened its run, and why; return the exit code."""
    why = process.settle() or ""
    for line in process.last_output():
        echo(line, err=True)
    echo(f"stoker: {why}", err=True)
    return process.exit_code()


def _runs_anything(path: Path) -> bool:
    """Return whether the file does anything by itself, beside defining functions; True where it cannot be parsed."""
    try:
        body = ast.parse(path.read_bytes()).body
    except (SyntaxError, ValueError, OSError):
        return True  # Python itself says what is wrong
    return any(not isinstance(node.value if isinstance(node, ast.Expr) else node, NOTHING_RUNS) for node in body)
