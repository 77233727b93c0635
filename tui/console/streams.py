"""stdout and stderr of a run without a dashboard: whoever reads them may go away at any moment, the training stays."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from ..terminal.stream import Terminal, flush, open_log

AS_TEXT = {"encoding": "utf-8", "errors": "backslashreplace", "newline": "\n", "line_buffering": True}


class Kept(io.TextIOWrapper):
    """A stream that never raises: once its reader is gone, what is written goes to the run's log."""

    def __init__(self, descriptor: int, log: Path) -> None:
        """Write to `descriptor`, and leave it open at the end."""
        super().__init__(io.BufferedWriter(io.FileIO(descriptor, "w", closefd=False)), **AS_TEXT)  # type: ignore[arg-type]
        self._log = log

    def write(self, text: str) -> int:
        """Write, or turn to the log."""
        with self._kept():
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """Write out what is held back, or turn to the log."""
        with self._kept():
            super().flush()

    @contextlib.contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            # What was held back is written there next; where that cannot be done either, it is lost.
            with contextlib.suppress(OSError):
                _point(self.fileno(), self._log)


@contextlib.contextmanager
def lines(log: Path, *, alone: bool) -> Iterator[Callable[[str], None]]:
    """Give what writes a line to stdout; with `alone` nothing else gets there, what is printed goes to `log`."""
    flush()
    saved = sys.stdout, sys.stderr
    out = Terminal(io.BufferedWriter(io.FileIO(os.dup(1), "w")), **AS_TEXT)  # type: ignore[arg-type]
    if alone:
        _point(1, log)
    sys.stdout, sys.stderr = Kept(1, log), Kept(2, log)
    to = out if alone else sys.stdout
    try:
        yield lambda line: print(line, file=to, flush=True)
    finally:
        flush()
        sys.stdout, sys.stderr = saved
        if alone and not out.gone:
            os.dup2(out.fileno(), 1)
        with contextlib.suppress(OSError):
            out.close()


def _point(descriptor: int, log: Path) -> None:
    """Let a descriptor be the log's. Raises OSError."""
    file = open_log(log)
    os.dup2(file, descriptor)
    os.close(file)
