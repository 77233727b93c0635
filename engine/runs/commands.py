"""Commands to the training loop: from the dashboard in this process, from `commands.jsonl`, and from signals.

The loop takes them between batches. Nothing here touches the model, so any thread and any signal handler may send one.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal
from uuid import uuid4

import msgspec

from ..files import open_regular
from .events import encode_line
from .journal import LineFollower


class CommandSpec(msgspec.Struct, frozen=True):
    """One command: its name, when the loop can take it, and what it does."""

    name: str
    when: Literal["training", "paused", "always"]
    """Whether it makes sense while the run trains, while it is paused, or both; a run without an engine takes none."""
    help: str


COMMANDS = (
    CommandSpec("pause", "training", "Pause after the current batch."),
    CommandSpec("resume", "paused", "Continue a paused run."),
    CommandSpec("save", "always", "Save a resumable checkpoint now."),
    CommandSpec("evaluate", "always", "Evaluate the model now, without changing the run."),
    CommandSpec("stop", "always", "Save, then end the run."),
    CommandSpec("set_learning_rate", "always", "Set the learning rate; the schedule keeps its shape."),
)
"""Every command. The keys, `stoker send` and the error messages read this table.

The engine takes a command in any phase: one that changes nothing, such as pausing a paused run, succeeds and says so.
"""
COMMAND_NAMES = tuple(spec.name for spec in COMMANDS)
TAKEN_BACK = "taken_back"
"""Written with the id of an earlier command whose sender has given up; the engine then drops that one unanswered."""
END_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that save a run and end it."""
POLL_INTERVAL = 0.05  # seconds between two reads of commands.jsonl


def allowed_commands(*, paused: bool) -> frozenset[str]:
    """Return the commands that make sense for a run with an engine. `release` stands for `pause` with `release`."""
    phase = "paused" if paused else "training"
    return frozenset(spec.name for spec in COMMANDS if spec.when in (phase, "always")) | {"release"}


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command to the loop, answered by a `command` event with the same `id`.

    `lr` belongs to set_learning_rate, `release` to pause: give the device's memory back until the run resumes.
    """

    id: str = msgspec.field(default_factory=lambda: uuid4().hex[:12])
    command: str = ""
    lr: float | None = None
    release: bool = False


class Controls:
    """The queue of commands of one training loop."""

    def __init__(self, path: Path | None = None) -> None:
        """Take commands from this process, and those appended to the file at `path` from now on."""
        self._queue: SimpleQueue[Command | None] = SimpleQueue()
        self._lines = LineFollower(path, at_end=True) if path else None
        self._next_poll = 0.0
        self.signal: int | None = None
        self.unattended = False
        """No person watches: a run that would pause by itself stops, unless its task asks for the pause."""

    def send(self, command: Command) -> str:
        """Queue `command` and return the id that its answer will carry."""
        self._queue.put(command)
        return command.id

    def end(self, signum: int) -> None:
        """Ask the loop to save and end; safe inside a signal handler."""
        self.signal = signum

    def wake(self) -> None:
        """Wake a loop that waits."""
        self._queue.put(None)

    def pending(self, now: float) -> bool:
        """Return whether to call `take`; cheap enough for every batch. `now` is `time.monotonic()` in seconds."""
        if self.signal is not None or not self._queue.empty():
            return True
        return self._lines is not None and now >= self._next_poll

    def arrived(self) -> bool:
        """Return whether another process has sent a command; it stays in the queue. For a thread beside the loop."""
        for command in self.take():
            self._queue.put(command)
        return not self._queue.empty()

    def take(self) -> list[Command]:
        """Return the commands since the last call, those of this process first."""
        commands: list[Command] = []
        while True:
            try:
                command = self._queue.get_nowait()
            except Empty:
                break
            if command is not None:
                commands.append(command)
        if self._lines is not None and (now := time.monotonic()) >= self._next_poll:
            self._next_poll = now + POLL_INTERVAL
            commands += [command for line in self._lines.read() if (command := parse(line)) is not None]
        taken_back = {command.id for command in commands if command.command == TAKEN_BACK}
        return [command for command in commands if command.id not in taken_back] if taken_back else commands

    def wait(self, seconds: float = POLL_INTERVAL) -> None:
        """Sleep until this process sends a command, at most `seconds`."""
        try:
            command = self._queue.get(timeout=seconds)
        except Empty:
            return
        if command is not None:
            self._queue.put(command)


def parse(line: bytes) -> Command | None:
    """Return the command on a line of JSON, or None if the line cannot be read; the loop refuses an unknown name."""
    try:
        return msgspec.json.decode(line, type=Command, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def append(path: Path, command: Command) -> None:
    """Send a command to an engine in another process through its `commands.jsonl`. Raises OSError."""
    line = encode_line({name: value for name, value in msgspec.to_builtins(command).items() if value is not None})
    file = open_regular(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, follow=False)
    try:
        os.write(file, line)
    finally:
        os.close(file)
