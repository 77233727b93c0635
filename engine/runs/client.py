"""Send a command to an engine in another process, and wait for its answer."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..errors import RunError
from .commands import TAKEN_BACK, Command, append
from .events import CommandAnswered
from .folder import RunFolder
from .journal import EventFollower
from .status import label

TELL_AFTER = 5.0  # seconds without an answer after which the caller is told
POLL_INTERVAL = 0.02  # seconds between two reads of the events


def send_command(folder: RunFolder, command: Command, on_wait: Callable[[str], None] | None = None) -> CommandAnswered:
    """Send `command` and return its answer, however long a batch takes.

    `on_wait` is called once with a line for a person if there is no answer after five seconds.
    If the caller is interrupted (ctrl+c), the command is taken back. Raises RunError where no engine trains the run, or
    where it ends without an answer.
    """
    if not folder.locked():
        raise RunError(
            f"run {folder.name} has no engine to take commands (its state is {label(folder.state())}):"
            " start one with `stoker resume`"
        )
    events = EventFollower(folder.events, at_end=True)
    append(folder.commands, command)
    try:
        return _answer(folder, command, events, on_wait)
    except KeyboardInterrupt:
        # The engine drops the command, unless it has just taken it.
        append(folder.commands, Command(id=command.id, command=TAKEN_BACK))
        raise


def _answer(
    folder: RunFolder, command: Command, events: EventFollower, on_wait: Callable[[str], None] | None
) -> CommandAnswered:
    """Wait for the answer to `command`. Raises RunError where the engine ends without one."""
    tell_at = time.monotonic() + TELL_AFTER
    while True:
        gone = not folder.locked()
        for event in events.read_events():
            if isinstance(event, CommandAnswered) and event.id == command.id:
                return event
        if gone:
            raise RunError(f"the engine of run {folder.name} ended without an answer")
        if on_wait is not None and time.monotonic() >= tell_at:
            on_wait(
                f"no answer from {folder.holder()} yet: it takes the command after its present batch. Ctrl+C takes the"
                " command back"
            )
            on_wait = None
        time.sleep(POLL_INTERVAL)
