"""What can be asked of a run, asking it, and who waits for an answer."""

from __future__ import annotations

from ...engine.controls import Command
from ...engine.events import CommandAnswered, Event
from ..source import Source
from ..view import FINISHED, RunView

ASKS = {"pause", "save", "evaluate", "stop"}


class Steering:
    """Sends commands and remembers which of them have no answer yet."""

    def __init__(self, source: Source) -> None:
        """Ask by way of `source`."""
        self._source = source
        self._waiting: set[str] = set()

    def offers(self, view: RunView, now: float) -> frozenset[str]:
        """Return what can be done now: names of commands, and `restart` for a run without an engine."""
        standing = view.standing(now)
        if standing in FINISHED:
            return frozenset() if view.alive else frozenset({"restart"})
        if standing in ("lost", "new"):
            return frozenset({"restart"})
        if standing == "loading":
            return frozenset()
        asks = ASKS - {"pause"} | {"resume"} if view.paused else ASKS
        return frozenset(asks)

    def ask(self, command: str) -> str | None:
        """Send the command; returns why it could not be sent."""
        try:
            self._waiting.add(self._source.send(Command(command=command)))
        except OSError as error:
            return f"{command} could not be asked: {error.strerror or error}"
        return None

    def hear(self, event: Event) -> str | None:
        """Return what to tell a person, where the event says that something asked here failed."""
        if not isinstance(event, CommandAnswered) or event.id not in self._waiting:
            return None
        self._waiting.discard(event.id)
        return f"{event.command}: {event.message}" if event.status == "failed" else None
