"""Where events come from and where commands go: a run folder, or the engine in this process."""

from __future__ import annotations

import time
from collections import deque
from typing import Protocol

from stoker.engine.runs import commands as controls
from stoker.engine.runs.commands import Command
from stoker.engine.runs.events import Event, RunStarted, decode
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runs.journal import Events

from .engine_thread import Host

BATCH = 5_000  # events decoded at a time: a long history must not freeze the screen
LOOK = 1.0  # seconds between two looks whether another process still trains


class Source(Protocol):
    """What the dashboard needs of a run."""

    def read(self) -> list[Event]:
        """Return the events since the last call, the history first; a long history comes in several calls."""

    def send(self, command: Command) -> str:
        """Ask the engine; returns the id of the command. Raises OSError."""

    def alive(self) -> bool:
        """Say whether an engine trains this run now."""

    def elsewhere(self) -> bool:
        """Say whether the engine that trains this run, or was the last to, is on another machine."""


class History:
    """The events of a run folder, a batch at a time."""

    def __init__(self, folder: RunFolder) -> None:
        """Follow the folder's events."""
        self._events = Events(folder.events)
        self._waiting: deque[bytes] = deque()

    def read(self) -> list[Event]:
        """Return the next events; an empty list means that there are no more for now."""
        if not self._waiting:
            self._waiting.extend(self._events.read())
        found: list[Event] = []
        while self._waiting and len(found) < BATCH:
            if (event := decode(self._waiting.popleft())) is not None:
                found.append(event)
        return found


class FolderSource:
    """A run that another process trains, or that ended: everything goes through its folder."""

    def __init__(self, folder: RunFolder) -> None:
        """Follow the run in `folder`."""
        self._folder = folder
        self._history = History(folder)
        self._alive = self._elsewhere = False
        self._looked = -LOOK

    def read(self) -> list[Event]:
        """Return the events since the last call."""
        found = self._history.read()
        if any(isinstance(event, RunStarted) for event in found):
            self._looked = -LOOK
        return found

    def send(self, command: Command) -> str:
        """Append to the run's command file. Raises OSError."""
        controls.append(self._folder.commands, command)
        return command.id

    def alive(self) -> bool:
        """Say whether the run's lock is held; looked up once a second."""
        if (now := time.monotonic()) - self._looked >= LOOK:
            self._looked, self._alive = now, self._folder.locked()
            self._elsewhere = self._folder.elsewhere()
        return self._alive

    def elsewhere(self) -> bool:
        """Say whether the lock is, or was, another machine's; looked up with `alive`."""
        return self._elsewhere


class LiveSource:
    """A run that this process trains: its history from the folder, then what the engine says."""

    def __init__(self, host: Host) -> None:
        """Follow `host`, which must not have been started yet, or the history would be told twice."""
        self._host = host
        self._history: History | None = History(host.folder)

    def read(self) -> list[Event]:
        """Return the events since the last call."""
        if self._history is not None:
            if found := self._history.read():
                return found
            self._history = None
        return self._host.heard()

    def send(self, command: Command) -> str:
        """Ask the engine's controls."""
        return self._host.controls.send(command)

    def alive(self) -> bool:
        """Say whether the engine's thread runs."""
        return self._host.running

    def elsewhere(self) -> bool:
        """It is here."""
        return False
