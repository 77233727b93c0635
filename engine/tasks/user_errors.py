"""Errors of the task's code in one line, with the line of the user's file that raised them."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

from .imports import is_user_file

WORKER = "Original Traceback (most recent call last)"  # in the message of an error from a DataLoader worker
FRAME = re.compile(r'File "(.+)", line (\d+)')


def user_line(error: BaseException) -> str:
    """Return `FILE:LINE` of the innermost line of the user's code that the error passed; empty if there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        path = Path(frame.filename)
        if is_user_file(path):
            return f"{path.name}:{frame.lineno}"
    return ""


def is_refusal(error: BaseException) -> bool:
    """Return whether the user's own code raised this ValueError, and not a library that it called."""
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, ValueError) and bool(frames) and is_user_file(Path(frames[-1].filename))


def one_line(error: BaseException) -> str:
    """Return the error as one line: `TYPE: first line of its message (FILE:LINE)`."""
    if isinstance(error, SyntaxError):
        return f"{error.msg} ({Path(error.filename or '').name}:{error.lineno})"
    where = user_line(error)
    text = str(error).strip().partition("\n")[0]
    if WORKER in str(error):
        # The error of a DataLoader worker carries its traceback as text.
        lines = [f"{Path(file).name}:{line}" for file, line in FRAME.findall(str(error)) if is_user_file(Path(file))]
        where, text = lines[-1] if lines else where, str(error).strip().rpartition("\n")[2].partition(": ")[2]
    return f"{type(error).__name__}: {text}" + (f" ({where})" if where else "")
