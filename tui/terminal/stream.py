"""Reserves the terminal for the dashboard: all other output, also of C code, goes to the run's log."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any


class TerminalStream(io.TextIOWrapper):
    """The terminal as a stream that never raises: after a hang-up, output is dropped."""

    _gone = False
    on_gone: Callable[[], None] | None = None
    """Called once when the terminal is found to be gone, in the writing thread or in a signal handler."""

    @property
    def gone(self) -> bool:
        """Whether the terminal was closed or has hung up."""
        return self._gone

    def mark_gone(self) -> None:
        """Drop all output from now on, and call `on_gone` the first time."""
        if not self._gone:
            self._gone = True
            if self.on_gone is not None:
                self.on_gone()

    def write(self, text: str) -> int:
        """Write the text; if that fails, mark the terminal as gone."""
        # Textual's writer thread must not die: its queue would fill up and the app would never end.
        if not self.gone:
            try:
                super().write(text)
            except OSError:
                self.mark_gone()
        return len(text)

    def flush(self) -> None:
        """Write the buffered text; if that fails, mark the terminal as gone."""
        if not self.gone:
            try:
                super().flush()
            except OSError:
                self.mark_gone()


class LogFile(io.FileIO):
    """A log that never raises: text that cannot be written, because the disk is full, is lost."""

    def write(self, data: Any, /) -> int:
        """Write the bytes, or drop them."""
        # A task that prints must not fail because of its log.
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


@contextlib.contextmanager
def own_terminal(log: Path) -> Iterator[TerminalStream]:
    """Give Textual the terminal on a separate file descriptor, and redirect descriptors 1 and 2 to `log`."""
    flush_streams()
    streams = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    saved = os.dup(1), os.dup(2)
    device = io.FileIO(os.dup(2 if os.isatty(2) else 1), "w")
    terminal = TerminalStream(io.BufferedWriter(device), encoding="utf-8", errors="backslashreplace", newline="\n")
    _point_to(log)
    # Python's resource tracker needs a stderr with a file descriptor, so start it before Textual replaces sys.stderr.
    resource_tracker.ensure_running()
    # Textual writes to __stderr__ and asks __stdout__ for the terminal's size. It restores stdout and stderr when the app
    # ends, which may be before the training ends, so both must point to the log by then.
    sys.__stdout__ = sys.__stderr__ = terminal  # type: ignore[misc]
    redirect_prints(log)
    try:
        yield terminal
    finally:
        flush_streams()
        sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__ = streams  # type: ignore[misc]
        for number, old in enumerate(saved, 1):
            # Keep the log if the terminal is gone: a print to the terminal would raise an error in the training.
            if not terminal.gone:
                os.dup2(old, number)
            os.close(old)
        with contextlib.suppress(OSError):  # the terminal may be gone
            terminal.close()


def redirect_prints(log: Path) -> None:
    """Redirect sys.stdout and sys.stderr to `log`, line by line; call it after Textual has set its streams."""
    if isinstance(sys.__stdout__, TerminalStream):
        # This process may train several runs, one after another: output of C code belongs to the newest run's log.
        _point_to(log)
    file = io.BufferedWriter(LogFile(_open_log_or_null(log), "w"))
    sys.stdout = sys.stderr = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _point_to(log: Path) -> None:
    file = _open_log_or_null(log)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def open_log(log: Path) -> int:
    """Return a file descriptor that appends to `log`, created with mode 0600. Raises OSError."""
    return os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _open_log_or_null(log: Path) -> int:
    try:
        return open_log(log)
    except OSError:
        # A log that cannot be created, on a full disk, is no reason to refuse the dashboard.
        return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)


def flush_streams() -> None:
    """Flush sys.stdout and sys.stderr; errors are ignored."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
