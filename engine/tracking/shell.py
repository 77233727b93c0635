"""Log one line of numbers from a shell script: `stoker log RUN loss=0.3 step=10`."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from ..errors import RequestError, RunLocked
from ..runs.events import Event, Logged, RunFinished, RunStarted, encode
from ..runs.folder import RunFolder, create, find_run
from ..runs.journal import Journal

TASK = "shell"
"""The task in the record of a run that a shell script made."""


def log_line(runs: Path, name: str, entries: Sequence[str], *, finish: str | None = None) -> int:
    """Append `NAME=VALUE` entries to the run called `name`, which is made if it is not there; return the step.

    The entry `step=N` gives the step, else it is one more than the last. A value that is no number is a text. `finish`
    is the cause of the end, `completed` or `failed`, or None. Raises RequestError, RunError.
    """
    values, texts, step = _parsed(entries)
    folder = find_run(runs, name) if (runs / name).is_dir() else create(runs, TASK, name, {"given": {}})
    events = folder.last_events()
    if step is None:
        last = [event.step for event in events if event.step is not None]
        step = max(last) + bool(values or texts) if last else 0
    lines: list[Event] = [Logged(title=title, text=text, step=step) for title, text in texts.items()]
    lines += [Logged(values=values, step=step)] if values else []
    lines += [RunFinished(cause=finish, step=step)] if finish else []
    _append(folder, lines, opened=any(isinstance(event, RunStarted | Logged) for event in events))
    return step


def _append(folder: RunFolder, lines: list[Event], *, opened: bool) -> None:
    with ExitStack() as stack:
        try:
            stack.enter_context(folder.lock())
        except RunLocked:
            # Another process trains this run: one line at its end, written at once, disturbs nothing.
            file = os.open(folder.events, os.O_WRONLY | os.O_APPEND)
            stack.callback(os.close, file)
            os.write(file, b"".join(map(encode, lines)))
            return
        journal = Journal(folder.events)
        stack.callback(journal.close)
        if not opened:
            lines.insert(0, RunStarted(run=folder.name, task=folder.record().task, host=socket.gethostname()))
        for event in lines:
            journal.append(event)
        if journal.error is not None:
            raise journal.error


def _parsed(entries: Sequence[str]) -> tuple[dict[str, float], dict[str, str], int | None]:
    """Return numbers, texts and the step of `NAME=VALUE` entries. Raises RequestError."""
    values: dict[str, float] = {}
    texts: dict[str, str] = {}
    step: int | None = None
    for entry in entries:
        name, equals, text = entry.partition("=")
        if not equals or not name:
            raise RequestError(f"invalid entry {entry!r}: write NAME=VALUE, as in loss=0.3")
        if name == "step":
            if not text.isdecimal():
                raise RequestError(f"invalid step {text!r}: write a whole number of at least 0, as in step=10")
            step = int(text)
            continue
        try:
            values[name] = float(text)
        except ValueError:
            texts[name] = text
    return values, texts, step
