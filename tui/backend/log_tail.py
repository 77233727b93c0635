"""Follows the output that a run printed: `engine.log`, from its last lines on."""

from __future__ import annotations

import os
import re
from pathlib import Path

from stoker.engine.files import open_regular
from stoker.engine.text import printable

MAX_READ = 64 * 1024  # bytes read at a time at most; of an old log only this many last bytes are shown
ESCAPE_CODES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|.)|[\x00-\x08\x0b-\x1f\x7f]")


class LogTail:
    """Returns the lines that were printed since the last `read`, without escape codes."""

    def __init__(self, path: Path) -> None:
        """Follow `path`, which may not exist yet."""
        self._path = path
        self._offset = -1

    def read(self) -> list[str]:
        """Return the new complete lines; of a large output only the end."""
        try:
            end = self._path.stat().st_size
            if end == self._offset:
                return []
            start = self._offset if 0 <= self._offset <= end else 0
            with os.fdopen(open_regular(self._path), "rb") as file:
                file.seek(max(start, end - MAX_READ))
                data = file.read(MAX_READ)
        except OSError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        # An incomplete line is read again once its end has been written.
        self._offset = max(start, end - MAX_READ) + len(whole)
        return [text for line in whole.splitlines() if (text := clean(line))]


def clean(line: bytes) -> str:
    """Return a printed line as a terminal would show it; a progress bar is reduced to its last state."""
    text = line.decode("utf-8", "replace").rstrip("\r").rpartition("\r")[2]
    return printable(ESCAPE_CODES.sub("", text.expandtabs())).rstrip()
