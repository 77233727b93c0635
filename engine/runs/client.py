"""Send a command to an engine in another process, and wait for its answer."""

from __future__ import annotations

import time

from ..errors import RunError
from .commands import Command, append
from .events import CommandAnswered
from .folder import RunFolder
from .journal import EventFollower
from .status import label

POLL_INTERVAL = 0.02  # seconds between two reads of the events


def send_command(folder: RunFolder, command: Command) -> CommandAnswered:
    """Send `command` and return its answer, however long a batch takes.

    Raises RunError where no engine trains the run, or where it ends without an answer.
    """
    if not folder.locked():
        raise RunError(
            f"run {folder.name} has no engine to take commands (its state is {label(folder.state())}):"
            " start one with `stoker resume`"
        )
    events = EventFollower(folder.events, at_end=True)
    append(folder.commands, command)
    while True:
        gone = not folder.locked()
        for event in events.read_events():
            if isinstance(event, CommandAnswered) and event.id == command.id:
                return event
        if gone:
            raise RunError(f"the engine of run {folder.name} ended without an answer")
        time.sleep(POLL_INTERVAL)
