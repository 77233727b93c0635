"""The commands that are possible for a run now, and those that wait for an answer."""

from __future__ import annotations

from stoker.engine.runs.commands import Command, allowed_commands
from stoker.engine.runs.events import CommandAnswered, Event
from stoker.engine.runs.status import STATES

from ..backend.source import Source
from .run_view import RunView

LR_FACTOR = 1.25  # factor; one key press multiplies or divides the learning rate by it


class RunControls:
    """Sends commands to a run and remembers those without an answer."""

    def __init__(self, source: Source) -> None:
        """Send commands through `source`."""
        self._source = source
        self.waiting: set[str] = set()
        """The ids of the commands without an answer."""
        self._releases: set[str] = set()  # ids of the waiting commands that release memory
        self._requested_lr: tuple[str, float] | None = None  # id of the command and its rate, until it is answered

    def offers(self, view: RunView, now: float) -> frozenset[str]:
        """Return the possible commands, with `restart` for a run without an engine."""
        state = STATES.get(view.status(now))
        if state is None or state.name == "loading":
            return frozenset()
        if state.engine:
            return frozenset() if view.remote else allowed_commands(paused=view.paused)
        # The engine of a finished run may still be closing; that of a lost one may be on a machine that cannot be seen.
        busy = view.alive if state.finished else view.remote
        return frozenset() if busy else frozenset({"restart"})

    def send(self, command: Command) -> str | None:
        """Send the command; return an error message if it cannot be sent."""
        try:
            self.waiting.add(self._source.send(command))
        except OSError as error:
            return f"could not send {command.command}: {error.strerror or error}"
        if command.release:
            self._releases.add(command.id)
        if command.lr is not None:
            self._requested_lr = (command.id, command.lr)
        return None

    def next_lr(self, view: RunView, direction: int) -> float | None:
        """Return the learning rate one press up (1) or down (-1), from the requested rate or else the current one."""
        rate = self._requested_lr[1] if self._requested_lr else view.lr[0] if view.lr else 0.0
        return float(f"{rate * LR_FACTOR**direction:.4g}") if rate > 0 else None

    def receive(self, event: Event) -> str | None:
        """Update the waiting commands with an event; return the message of an answer that a person must see.

        It says that a command sent here failed, or how much memory was released, which nothing else shows.
        """
        if not isinstance(event, CommandAnswered) or event.id not in self.waiting:
            return None
        self.waiting.discard(event.id)
        if self._requested_lr is not None and self._requested_lr[0] == event.id:
            self._requested_lr = None
        if event.status == "failed":
            return f"{event.command}: {event.message}"
        return event.message if event.id in self._releases else None
