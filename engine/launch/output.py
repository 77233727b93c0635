"""Output of an engine without a terminal: a print never stops the training."""

from __future__ import annotations

import io
import sys
from typing import Any


class _OutputFile(io.FileIO):
    """A file that never raises: text that cannot be written, because the disk is full, is lost."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def protect_output() -> None:
    """Replace sys.stdout and sys.stderr by streams on the same descriptors that never raise."""
    sys.stdout, sys.stderr = _stream(1), _stream(2)


def _stream(descriptor: int) -> io.TextIOWrapper:
    file = io.BufferedWriter(_OutputFile(descriptor, "w", closefd=False))
    return io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", line_buffering=True)
