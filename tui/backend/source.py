"""A source of events and a target of commands: a run folder, or the engine in this process."""

from __future__ import annotations

import time
from collections import deque
from typing import Protocol

from stoker.engine.launch.script import ScriptProcess
from stoker.engine.runs import commands as controls
from stoker.engine.runs.commands import Command
from stoker.engine.runs.events import Event, RunStarted, decode
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runs.journal import EventFollower

from .engine_thread import EngineThread

MAX_EVENTS = 5_000  # events decoded at a time, so that a long history does not freeze the screen
LOCK_CHECK_INTERVAL = 1.0  # seconds between two checks of the run's lock


class Source(Protocol):
    """The interface that the dashboard needs from a run."""

    def read(self) -> list[Event]:
        """Return the events since the last call, past events first; a long history takes several calls."""

    def send(self, command: Command) -> str:
        """Send a command to the engine and return the id of the command. Raises OSError."""

    def alive(self) -> bool:
        """Return whether an engine trains this run now."""

    def remote(self) -> bool:
        """Return whether the engine of this run, or its last engine, is on another machine."""


class EventReader:
    """The events of a run folder, read in batches."""

    def __init__(self, folder: RunFolder) -> None:
        """Follow the events of `folder`."""
        self._events = EventFollower(folder.events)
        self._waiting: deque[bytes] = deque()

    def read(self) -> list[Event]:
        """Return the next events; an empty list means that there are no more yet."""
        if not self._waiting:
            self._waiting.extend(self._events.read())
        found: list[Event] = []
        while self._waiting and len(found) < MAX_EVENTS:
            if (event := decode(self._waiting.popleft())) is not None:
                found.append(event)
        return found


class FolderSource:
    """A run that another process trains, or that has ended. Events and commands go through its folder."""

    def __init__(self, folder: RunFolder) -> None:
        """Follow the run in `folder`."""
        self._folder = folder
        self._reader = EventReader(folder)
        self._alive = self._remote = False
        self._checked = -LOCK_CHECK_INTERVAL

    def read(self) -> list[Event]:
        """Return the events since the last call."""
        found = self._reader.read()
        if any(isinstance(event, RunStarted) for event in found):
            self._checked = -LOCK_CHECK_INTERVAL
        return found

    def send(self, command: Command) -> str:
        """Append the command to the run's command file. Raises OSError."""
        controls.append(self._folder.commands, command)
        return command.id

    def alive(self) -> bool:
        """Return whether an engine holds the run's lock; checked once a second."""
        if (now := time.monotonic()) - self._checked >= LOCK_CHECK_INTERVAL:
            self._checked, self._alive = now, self._folder.locked()
            self._remote = self._folder.is_remote()
        return self._alive

    def remote(self) -> bool:
        """Return whether the lock is, or was last, held on another machine; checked together with `alive`."""
        return self._remote


class ScriptSource(FolderSource):
    """A run whose script is a child of this process: its end is seen even where it never opened the run."""

    def __init__(self, process: ScriptProcess) -> None:
        """Follow the run of `process`."""
        super().__init__(process.folder)
        self._process = process

    def read(self) -> list[Event]:
        """Return the events since the last call."""
        if self._process.ended:
            self._process.settle()
        return super().read()

    def alive(self) -> bool:
        """Return whether the script runs, or another engine trains the run."""
        return not self._process.ended or super().alive()


class LiveSource:
    """A run that this process trains: its past events from the folder, then the events of the engine."""

    def __init__(self, engine: EngineThread) -> None:
        """Follow `engine`, which must not have started yet: its first events would be read twice."""
        self._engine = engine
        self._reader: EventReader | None = EventReader(engine.folder)

    def read(self) -> list[Event]:
        """Return the events since the last call."""
        if self._reader is not None:
            if found := self._reader.read():
                return found
            self._reader = None
        return self._engine.drain()

    def send(self, command: Command) -> str:
        """Send the command to the engine."""
        return self._engine.controls.send(command)

    def alive(self) -> bool:
        """Return whether the engine's thread is running."""
        return self._engine.running

    def remote(self) -> bool:
        """Return False: the engine is in this process."""
        return False
