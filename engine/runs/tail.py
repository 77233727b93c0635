"""Read the end of `events.jsonl`: enough to tell a run's state without reading its whole history."""

from __future__ import annotations

import os
from pathlib import Path

from ..files import open_regular
from .events import EarlyStopping, Event, decode

TAIL = 256 * 1024  # bytes read at first
MAX_TAIL = 16 * 1024 * 1024  # bytes read at most: an event of the longest line that a reader takes
MARK = b'"event":"early_stopping"'


def last_events(path: Path) -> list[Event]:
    """Return the events in the last 256 KiB of the journal at `path`, oldest first.

    Where these hold no complete event, such as a failure with a huge message, up to 16 MiB are read.
    """
    length = TAIL
    while True:
        content, size = _end(path, length)
        events = [event for line in content.split(b"\n")[:-1] if (event := decode(line)) is not None]
        if events or size <= length or length >= MAX_TAIL:
            return events
        length = MAX_TAIL


def last_early_stopping(path: Path) -> EarlyStopping | None:
    """Return the newest event of the early-stopping counter in the last 16 MiB of the journal at `path`."""
    content, _ = _end(path, MAX_TAIL)
    if (at := content.rfind(MARK)) < 0:
        return None
    end = content.find(b"\n", at)
    event = decode(content[content.rfind(b"\n", 0, at) + 1 : end]) if end >= 0 else None
    return event if isinstance(event, EarlyStopping) else None


def _end(path: Path, length: int) -> tuple[bytes, int]:
    """Return the last `length` bytes of a file, and its size; nothing of a file that cannot be read."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - length))
            return file.read(length), size
    except OSError:
        return b"", 0
