"""Follows what a run printed: `engine.log`, from its last lines on."""

from __future__ import annotations

import re
from pathlib import Path

SHOWN = 64 * 1024  # bytes at the end of an old log that are worth showing, and the most taken in one look
ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|.)|[\x00-\x08\x0b-\x1f\x7f]")


class Printed:
    """Each `read` returns the lines that were printed since the last one, without escape codes."""

    def __init__(self, path: Path) -> None:
        """Follow `path`, which may not exist yet."""
        self._path = path
        self._offset = -1

    def read(self) -> list[str]:
        """Return the new whole lines; of a flood only its end."""
        try:
            end = self._path.stat().st_size
            if end == self._offset:
                return []
            start = self._offset if 0 <= self._offset <= end else 0
            with self._path.open("rb") as file:
                file.seek(max(start, end - SHOWN))
                data = file.read(SHOWN)
        except OSError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        # A line longer than a look, or one still being written, is taken when its end comes.
        self._offset = max(start, end - SHOWN) + len(whole)
        return [text for line in whole.splitlines() if (text := clean(line))]


def clean(line: bytes) -> str:
    """Return a printed line as it would stand on a terminal; a progress bar's last state."""
    text = line.decode("utf-8", "replace").rstrip("\r").rpartition("\r")[2]
    return ESCAPES.sub("", text.expandtabs()).rstrip()
