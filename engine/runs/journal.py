"""Append to and follow the two line files of a run folder: `events.jsonl` and `commands.jsonl`."""

from __future__ import annotations

import os
from pathlib import Path

from ..files import open_regular
from .events import Event, decode, encode

LONGEST_LINE = 16 * 1024 * 1024  # bytes; a longer line is not an event, and must not fill the memory
CHUNK = 4 * 1024 * 1024  # bytes read at a time, so that a long history is never in memory as a whole


class Journal:
    """Appends events to a file. Events that cannot be written (no space) are kept and retried with the next one."""

    def __init__(self, path: Path) -> None:
        """Open `path` for appending and remove a half-written last line. Raises OSError."""
        drop_half_line(path)
        self._file = open_regular(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, follow=False)
        self._unwritten = b""
        self.error: OSError | None = None
        """Why the last write failed; None if it succeeded."""

    def append(self, event: Event) -> None:
        """Write the event. Never raises for a full or broken disk: see `error`."""
        self._unwritten += encode(event)
        try:
            while self._unwritten:
                written = os.write(self._file, self._unwritten)
                self._unwritten = self._unwritten[written:]
            self.error = None
        except OSError as error:
            self.error = error

    def sync(self) -> None:
        """Make the written events durable, so that a checkpoint never lacks its history. Sets `error` on failure."""
        try:
            os.fsync(self._file)
        except OSError as error:
            self.error = error

    def close(self) -> None:
        """Close the file."""
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
