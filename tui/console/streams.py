"""stdout and stderr of a run without a dashboard: the training continues when their reader closes them."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from ..terminal.stream import TerminalStream, flush_streams, open_log

TEXT_OPTIONS = {"encoding": "utf-8", "errors": "backslashreplace", "newline": "\n", "line_buffering": True}


class FallbackStream(io.TextIOWrapper):
    """A stream that never raises: once its reader is gone, the output goes to the run's log."""

    def __init__(self, descriptor: int, log: Path) -> None:
        """Write to the file `descriptor`, which stays open when the stream is closed."""
        super().__init__(io.BufferedWriter(io.FileIO(descriptor, "w", closefd=False)), **TEXT_OPTIONS)  # type: ignore[arg-type]
        self._log = log

    def write(self, text: str) -> int:
        """Write the text; if that fails, switch to the log."""
        with self._switching_to_log():
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """Write the buffered text; if that fails, switch to the log."""
        with self._switching_to_log():
            super().flush()

    @contextlib.contextmanager
    def _switching_to_log(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            # The buffered text is written to the log next. If the log cannot be opened either, the text is lost.
            with contextlib.suppress(OSError):
                _redirect(self.fileno(), self._log)


@contextlib.contextmanager
def safe_output(log: Path, *, exclusive: bool) -> Iterator[Callable[[str], None]]:
    """Yield a function that prints a line on stdout; output to a closed stdout or stderr goes to `log`.

    With `exclusive` only these lines reach stdout: other output to stdout goes to `log`.
    """
    flush_streams()
    saved = sys.stdout, sys.stderr
    out = TerminalStream(io.BufferedWriter(io.FileIO(os.dup(1), "w")), **TEXT_OPTIONS)  # type: ignore[arg-type]
    if exclusive:
        _redirect(1, log)
    sys.stdout, sys.stderr = FallbackStream(1, log), FallbackStream(2, log)
    to = out if exclusive else sys.stdout
    try:
        yield lambda line: print(line, file=to, flush=True)
    finally:
        flush_streams()
        sys.stdout, sys.stderr = saved
        if exclusive and not out.gone:
            os.dup2(out.fileno(), 1)
        with contextlib.suppress(OSError):
            out.close()


def _redirect(descriptor: int, log: Path) -> None:
    """Redirect a file descriptor to the log. Raises OSError."""
    file = open_log(log)
    os.dup2(file, descriptor)
    os.close(file)
