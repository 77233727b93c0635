"""Asks the engine of another process, and waits for what it says."""

from __future__ import annotations

import time

from ..errors import RequestError, RunError
from .commands import NAMES, Command, append
from .events import CommandAnswered
from .folder import RunFolder
from .journal import Events

LOOK = 0.02  # seconds between two looks at the answers


def command(text: str, *, release: bool = False) -> Command:
    """Return the command that `pause`, `save`, … or `lr=0.001` means. Raises RequestError."""
    name, equals, value = text.partition("=")
    if name == "lr" and equals:
        try:
            return Command(command="set_learning_rate", lr=float(value))
        except ValueError:
            raise RequestError(f"{text!r}: a learning rate is a number above 0, as in lr=0.001") from None
    allowed = [known for known in NAMES if known != "set_learning_rate"]
    if text not in allowed:
        raise RequestError(f"{text!r} cannot be asked; there are {', '.join(allowed)} and lr=X")
    if release and text != "pause":
        raise RequestError("--release belongs to pause")
    return Command(command=text, release=release)


def ask(folder: RunFolder, asked: Command) -> CommandAnswered:
    """Send a command and return its answer, however long a batch takes. Raises RunError where nobody can answer."""
    if not folder.locked():
        raise RunError(f"run {folder.name} is not being trained (it is {folder.state()}): nobody can be asked")
    events = Events(folder.events, at_end=True)
    append(folder.commands, asked)
    while True:
        gone = not folder.locked()
        for event in events.read_events():
            if isinstance(event, CommandAnswered) and event.id == asked.id:
                return event
        if gone:
            raise RunError(f"the engine of run {folder.name} ended without an answer")
        time.sleep(LOOK)
