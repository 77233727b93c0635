"""The values of command line arguments: task parameters, the path of a task, and the newest run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stoker.engine.errors import ParameterError, RunError
from stoker.engine.runs.folder import RunFolder, list_runs


def parameter_values(texts: Sequence[str]) -> dict[str, str]:
    """Return the values of `PARAM=VALUE` arguments by name. Raises ParameterError."""
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ParameterError(f"invalid parameter {text!r}: write PARAM=VALUE")
        if name in values:
            raise ParameterError(f"{name} is given twice: {name}={values[name]} and {text}")
        values[name] = value
    return values


def absolute_task(task: str) -> str:
    """Return `FILE.py:FUNCTION` with an absolute path, so that the run can be resumed from another folder."""
    path, colon, function = task.rpartition(":")
    return f"{Path(path).resolve()}:{function}" if colon and path.endswith(".py") else task


def newest_run(runs_folder: Path, states: Sequence[str] | None = None) -> RunFolder:
    """Return the newest run, or the newest one without an engine in one of `states`. Raises RunError."""
    for folder in list_runs(runs_folder):
        if states is None or (folder.state() in states and not folder.locked()):
            return folder
    which = "no run" if states is None else "no run that can be resumed"
    raise RunError(f"{which} in {runs_folder}: see `stoker ls`")
