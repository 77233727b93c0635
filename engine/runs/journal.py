"""Append to and follow the two line files of a run folder: `events.jsonl` and `commands.jsonl`."""

from __future__ import annotations

import os
from pathlib import Path

from .events import Event, decode, encode

LONGEST_LINE = 16 * 1024 * 1024  # bytes; a longer line is no event, and must not fill the memory
CHUNK = 4 * 1024 * 1024  # bytes read at a time, so that a long history never stands in memory whole


class Journal:
    """Appends events to a file; what cannot be written (no space) is kept and tried again with the next event."""

    def __init__(self, path: Path) -> None:
        """Open `path` for appending, dropping a half-written last line. Raises OSError."""
        drop_half_line(path)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._waiting = b""
        self.error: OSError | None = None

    def append(self, event: Event) -> None:
        """Write the event; never raises for a full or broken disk: `error` then says why."""
        self._waiting += encode(event)
        try:
            while self._waiting:
                written = os.write(self._file, self._waiting)
                self._waiting = self._waiting[written:]
            self.error = None
        except OSError as error:
            self.error = error

    def sync(self) -> None:
        """Ask for what was written to be on the disk; a checkpoint then never lacks its history."""
        try:
            os.fsync(self._file)
        except OSError as error:
            self.error = error

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class Lines:
    """Follows a growing file: each `read` returns the whole lines that came since the last one."""

    def __init__(self, path: Path, *, at_end: bool = False) -> None:
        """Follow `path` from its start, or from its present end; the file may not exist yet."""
        self.path = path
        # The end of the last whole line: half a line is read again, because an engine that resumes cuts it off.
        self._offset = path.stat().st_size if at_end and path.exists() else 0
        self._seen = (-1, -1)
        self._skipping = False

    def read(self) -> list[bytes]:
        """Return the new whole lines, of a long file those of the next chunk; half a last line is not yet there."""
        try:
            status = self.path.stat()
        except OSError:
            return []
        if self._seen == (status.st_size, status.st_mtime_ns):
            return []
        self._offset = min(self._offset, status.st_size)
        lines: list[bytes] = []
        rest = b""
        with open(self.path, "rb", buffering=0) as file:  # noqa: PTH123 - unbuffered, from an offset
            file.seek(self._offset)
            while not lines and (chunk := file.read(CHUNK)):
                *whole, rest = (rest + chunk).split(b"\n")
                self._offset += sum(map(len, whole)) + len(whole)
                if self._skipping and whole:
                    whole, self._skipping = whole[1:], False
                lines += whole
                if len(rest) > LONGEST_LINE:
                    self._offset += len(rest)
                    rest, self._skipping = b"", True
        if not lines:
            self._seen = (status.st_size, status.st_mtime_ns)
        return lines


class Events(Lines):
    """Follows `events.jsonl`."""

    def read_events(self) -> list[Event]:
        """Return the new events; lines that are no events are skipped."""
        return [event for line in self.read() if (event := decode(line)) is not None]


def drop_half_line(path: Path) -> None:
    """Cut a last line without its newline, which a killed engine left; the writer's lock must be held."""
    try:
        with path.open("rb+") as file:
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
