"""What can be asked of a run, asking it, and who waits for an answer."""

from __future__ import annotations

from stoker.engine.runs.commands import Command
from stoker.engine.runs.events import CommandAnswered, Event

from ..backend.source import Source
from .run_view import FINISHED, RunView

ASKS = {"pause", "release", "save", "evaluate", "stop", "set_learning_rate"}
FACTOR = 1.25  # of a learning rate, each press of a key


class Steering:
    """Sends commands and remembers which of them have no answer yet."""

    def __init__(self, source: Source) -> None:
        """Ask by way of `source`."""
        self._source = source
        self.waiting: set[str] = set()  # commands without an answer yet, by id
        self._rate: tuple[str, float] | None = None  # asked for, without an answer yet

    def offers(self, view: RunView, now: float) -> frozenset[str]:
        """Return what can be done now: names of commands, and `restart` for a run without an engine."""
        standing = view.standing(now)
        if standing in FINISHED:
            return frozenset() if view.alive else frozenset({"restart"})
        if view.elsewhere:
            return frozenset()
        if standing in ("lost", "new"):
            return frozenset({"restart"})
        if standing == "loading":
            return frozenset()
        asks = ASKS - {"pause"} | {"resume"} if view.paused else ASKS
        return frozenset(asks)

    def ask(self, command: Command) -> str | None:
        """Send the command; returns why it could not be sent."""
        try:
            self.waiting.add(self._source.send(command))
        except OSError as error:
            return f"{command.command} could not be asked: {error.strerror or error}"
        if command.lr is not None:
            self._rate = (command.id, command.lr)
        return None

    def next_rate(self, view: RunView, direction: int) -> float | None:
        """Return the learning rate one press up or down, from what was asked last or else from what is."""
        rate = self._rate[1] if self._rate else view.lr[0] if view.lr else 0.0
        return float(f"{rate * FACTOR**direction:.4g}") if rate > 0 else None

    def hear(self, event: Event) -> str | None:
        """Return what to tell a person, where the event says that something asked here failed."""
        if not isinstance(event, CommandAnswered) or event.id not in self.waiting:
            return None
        self.waiting.discard(event.id)
        if self._rate is not None and self._rate[0] == event.id:
            self._rate = None
        return f"{event.command}: {event.message}" if event.status == "failed" else None
