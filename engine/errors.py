"""Errors for the user: one line that says what is wrong, the value, and what to write instead.

StokerError
├── RequestError          the request is wrong: exit code 2
│   ├── TaskError         no such task, or its file cannot be loaded
│   ├── ParameterError    a task parameter that does not exist or does not convert
│   ├── SettingError      an unknown setting, or a value outside its range
│   ├── RunError          no such run, a name that is taken, not a run folder
│   │   └── RunLocked     another engine trains this run
│   └── CheckpointError   no checkpoint that can be read, or one of another model
└── TrainingError         the training failed: exit code 1
"""

from __future__ import annotations

from .text import printable


class StokerError(Exception):
    """Base of all errors that are shown as one line, without a traceback."""

    exit_code = 1


class RequestError(StokerError):
    """The request is wrong; nothing was trained."""

    exit_code = 2


class TaskError(RequestError):
    """The task does not exist, or its file cannot be loaded."""


class ParameterError(RequestError):
    """A task parameter does not exist or does not convert."""


class SettingError(RequestError):
    """A setting is unknown or outside its range."""


class RunError(RequestError):
    """No such run, a name that is taken, or a folder that is not a run."""


class RunLocked(RunError):
    """Another engine trains this run."""


class CheckpointError(RequestError):
    """No checkpoint can be read, or it belongs to another model or a newer format."""


class TrainingError(StokerError):
    """The training itself failed."""


def error_line(error: StokerError) -> str:
    """Return the line of text that shows an error to the user."""
    return f"stoker: {' '.join(printable(str(error)).split())}"
