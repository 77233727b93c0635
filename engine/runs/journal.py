"""Append to and follow the two line files of a run folder: `events.jsonl` and `commands.jsonl`."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from pathlib import Path

from ..files import open_regular
from .events import Event, Steps, Warned, decode, encode

LONGEST_LINE = 16 * 1024 * 1024  # bytes; a longer line is not an event, and must not fill the memory
WARNING_INTERVAL = 10.0  # seconds between two warnings that writing fails, or succeeds again
MAX_WAITING = 16 * 1024 * 1024  # bytes of events that wait for a full disk, before old `steps` are given up
CHUNK = 4 * 1024 * 1024  # bytes read at a time, so that a long history is never in memory as a whole


class Journal:
    """Appends events to a file. Events that cannot be written (no space) wait, and are tried again with the next one."""

    def __init__(self, path: Path) -> None:
        """Open `path` for appending and remove a half-written last line. Raises OSError."""
        drop_half_line(path)
        self._file = open_regular(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, follow=False)
        self._waiting: deque[bytes] = deque()
        """Lines in order; the first may lack a beginning that is written already."""
        self._steps: deque[bytes] = deque()
        """Those of `_waiting` that may be dropped, as the same objects."""
        self._size = 0
        self.dropped = 0
        """Number of `steps` events that were given up because too many waited."""
        self.error: OSError | None = None
        """Why the last write failed; None if it succeeded."""
        self._told, self._next_warning = False, 0.0

    def incomplete(self) -> str | None:
        """Return why the file lacks events, or may lack them after a power cut; None if it is complete."""
        if self.error is not None:
            return self.error.strerror or str(self.error)
        return f"{self.dropped} steps events were given up" if self.dropped else None

    def warning(self) -> Warned | None:
        """Return a warning where writing has begun to fail, or to succeed again, since the last one."""
        # A disk that is nearly full changes its mind many times a second.
        if (self.error is not None) is self._told or time.monotonic() < self._next_warning:
            return None
        self._told, self._next_warning = self.error is not None, time.monotonic() + WARNING_INTERVAL
        if self.error is None:
            lost = f"; {self.dropped} steps events were given up, because too many waited" if self.dropped else ""
            return Warned(kind="history_failed", message=f"events.jsonl is written again{lost}")
        message = (
            f"events.jsonl cannot be written ({self.error.strerror or self.error}): the history waits in memory, and is"
            " lost if the engine ends before it can be written"
        )
        return Warned(kind="history_failed", message=message)

    def append(self, event: Event) -> None:
        """Write the event. Never raises for a full or broken disk: see `error`."""
        line = encode(event)
        self._waiting.append(line)
        self._size += len(line)
        self.flush()
        if self._waiting:
            if isinstance(event, Steps):
                self._steps.append(line)
            if self._size > MAX_WAITING:
                self._drop_oldest_steps()

    def flush(self) -> None:
        """Write the events that wait; after a failure `error` is set."""
        try:
            while self._waiting:
                written = os.write(self._file, self._waiting[0])
                line = self._waiting.popleft()
                self._size -= written
                if self._steps and self._steps[0] is line:
                    self._steps.popleft()
                if written < len(line):
                    # No longer droppable: its beginning is in the file.
                    self._waiting.appendleft(line[written:])
            self.error = None
        except OSError as error:
            self.error = error

    def _drop_oldest_steps(self) -> None:
        """Give up half of the waiting `steps` events, the oldest ones; all others wait for as long as it takes."""
        count = (len(self._steps) + 1) // 2
        given_up = {id(self._steps.popleft()) for _ in range(count)}
        self._waiting = deque(line for line in self._waiting if id(line) not in given_up)
        self._size = sum(map(len, self._waiting))
        self.dropped += len(given_up)

    def sync(self) -> None:
        """Make the written events durable, so that a checkpoint never lacks its history. Sets `error` on failure."""
        try:
            os.fsync(self._file)
        except OSError as error:
            self.error = error

    def close(self) -> None:
        """Close the file. Events that still wait are lost."""
        with contextlib.suppress(OSError):
            os.close(self._file)


class LineFollower:
    """Follows a growing file: each `read` returns the complete lines since the last one."""

    def __init__(self, path: Path, *, at_end: bool = False) -> None:
        """Follow `path` from its start, or from its present end; the file need not exist yet."""
        self.path = path
        # The end of the last complete line. Half a line is read again, because an engine that resumes cuts it off.
        self._offset = path.stat().st_size if at_end and path.exists() else 0
        self._unchanged = (-1, -1)  # size and modification time at which nothing was left to read
        self._skipping = False

    def read(self) -> list[bytes]:
        """Return the new complete lines without their newline; at most those of the next 4 MiB that hold any.

        An incomplete last line is returned when it is complete; a line of over 16 MiB is skipped.
        """
        try:
            status = self.path.stat()
        except OSError:
            return []
        if self._unchanged == (status.st_size, status.st_mtime_ns):
            return []
        self._offset = min(self._offset, status.st_size)
        lines: list[bytes] = []
        rest = b""
        try:
            descriptor = open_regular(self.path)
        except OSError:
            return []
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            file.seek(self._offset)
            while not lines and (chunk := file.read(CHUNK)):
                *complete, rest = (rest + chunk).split(b"\n")
                self._offset += sum(map(len, complete)) + len(complete)
                if self._skipping and complete:
                    complete, self._skipping = complete[1:], False
                lines += complete
                if len(rest) > LONGEST_LINE:
                    self._offset += len(rest)
                    rest, self._skipping = b"", True
        if not lines:
            self._unchanged = (status.st_size, status.st_mtime_ns)
        return lines


class EventFollower(LineFollower):
    """Follows `events.jsonl`."""

    def read_events(self) -> list[Event]:
        """Return the new events; lines that are not events are skipped."""
        return [event for line in self.read() if (event := decode(line)) is not None]


def drop_half_line(path: Path) -> None:
    """Cut off a last line without a newline, which a killed engine left. Hold the run's lock. Raises OSError."""
    try:
        with os.fdopen(open_regular(path, os.O_RDWR, follow=False), "rb+") as file:
            end = file.seek(0, os.SEEK_END)
            position = end
            while position > 0:
                start = max(0, position - 65536)
                file.seek(start)
                newline = file.read(position - start).rfind(b"\n")
                if newline >= 0:
                    position = start + newline + 1
                    break
                position = start
            if position != end:
                file.truncate(position)
    except FileNotFoundError:
        return
