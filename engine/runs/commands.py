"""Requests to the loop: from the dashboard in this process, from `commands.jsonl`, and from signals.

The loop takes them between batches. Nothing here touches the model, so any thread and any signal handler may ask.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal, get_args
from uuid import uuid4

import msgspec

from .events import encode_line
from .journal import Lines

Name = Literal["pause", "resume", "save", "evaluate", "stop", "set_learning_rate"]
NAMES: tuple[str, ...] = get_args(Name)
LOOK = 0.05  # seconds between two looks at commands.jsonl


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One request, answered by a `command` event with its `id`; `lr` is set_learning_rate's, `release` pause's."""

    id: str = msgspec.field(default_factory=lambda: uuid4().hex[:12])
    command: str = ""
    lr: float | None = None
    release: bool = False


class Controls:
    """Where the loop finds what was asked of it."""

    def __init__(self, path: Path | None = None) -> None:
        """Take commands from this process, and from the file at `path`: those appended from now on."""
        self._queue: SimpleQueue[Command | None] = SimpleQueue()
        self._lines = Lines(path, at_end=True) if path else None
        self._next_look = 0.0
        self.signal: int | None = None

    def send(self, command: Command) -> str:
        """Ask for `command`; returns the id that its answer will carry."""
        self._queue.put(command)
        return command.id

    def end(self, signum: int) -> None:
        """Ask for a save and the end of the run; safe inside a signal handler."""
        self.signal = signum

    def wake(self) -> None:
        """Let a waiting loop look again at once."""
        self._queue.put(None)

    def pending(self, now: float) -> bool:
        """Say whether `take` would find something; cheap enough for every batch. `now` is `time.monotonic()`."""
        if self.signal is not None or not self._queue.empty():
            return True
        return self._lines is not None and now >= self._next_look

    def take(self) -> list[Command]:
        """Return the commands that came since the last look, this process's first."""
        commands: list[Command] = []
        while True:
            try:
                command = self._queue.get_nowait()
            except Empty:
                break
            if command is not None:
                commands.append(command)
        if self._lines is not None and (now := time.monotonic()) >= self._next_look:
            self._next_look = now + LOOK
            commands += [command for line in self._lines.read() if (command := parse(line)) is not None]
        return commands

    def wait(self, seconds: float = LOOK) -> None:
        """Sleep until something is asked in this process, `seconds` at most."""
        try:
            command = self._queue.get(timeout=seconds)
        except Empty:
            return
        if command is not None:
            self._queue.put(command)


def parse(line: bytes) -> Command | None:
    """Return the command on `line`; garbage is None, an unknown command is returned to be refused."""
    try:
        return msgspec.json.decode(line, type=Command, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def append(path: Path, command: Command) -> None:
    """Ask the engine of another process, by its run folder's command file. Raises OSError."""
    line = encode_line({name: value for name, value in msgspec.to_builtins(command).items() if value is not None})
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, line)
    finally:
        os.close(file)
