"""Keeps the terminal for the dashboard: whatever else prints, at the C level too, goes to the run's log."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from pathlib import Path


class Terminal(io.TextIOWrapper):
    """The terminal as a stream that never raises: when it is gone, what is written goes nowhere."""

    _gone = False
    on_gone: Callable[[], None] | None = None
    """Called once, when the terminal turns out to be gone; in the thread that writes, or in a signal's handler."""

    @property
    def gone(self) -> bool:
        """Whether the terminal is gone."""
        return self._gone

    def lose(self) -> None:
        """Write nothing more."""
        if not self._gone:
            self._gone = True
            if self.on_gone is not None:
                self.on_gone()

    def write(self, text: str) -> int:
        """Write, or notice that the terminal is gone."""
        # Textual's writing thread must live on, or the queue before it fills and the app never ends.
        if not self.gone:
            try:
                super().write(text)
            except OSError:
                self.lose()
        return len(text)

    def flush(self) -> None:
        """Write out what is held back, or notice that the terminal is gone."""
        if not self.gone:
            try:
                super().flush()
            except OSError:
                self.lose()


@contextlib.contextmanager
def own_terminal(log: Path) -> Iterator[Terminal]:
    """Give Textual the terminal on a descriptor of its own, and point descriptors 1 and 2 at `log`."""
    flush()
    streams = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    saved = os.dup(1), os.dup(2)
    device = io.FileIO(os.dup(2 if os.isatty(2) else 1), "w")
    terminal = Terminal(io.BufferedWriter(device), encoding="utf-8", errors="backslashreplace", newline="\n")
    _point_to(log)
    # Before Textual takes sys.stderr: started later, it fails on a stream without a descriptor.
    resource_tracker.ensure_running()
    # Textual writes to __stderr__ and asks __stdout__ for the terminal's size. It puts stdout and stderr back before the
    # training has ended, so they are the log's already.
    sys.__stdout__ = sys.__stderr__ = terminal  # type: ignore[misc]
    print_to(log)
    try:
        yield terminal
    finally:
        flush()
        sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__ = streams  # type: ignore[misc]
        for number, old in enumerate(saved, 1):
            # Where the terminal is gone they stay on the log: a print there would raise in the training.
            if not terminal.gone:
                os.dup2(old, number)
            os.close(old)
        with contextlib.suppress(OSError):  # the terminal may be gone
            terminal.close()


def print_to(log: Path) -> None:
    """Let what is printed go to `log`, Python's a line at a time; called once Textual has set its streams."""
    if isinstance(sys.__stdout__, Terminal):
        # One run after another may be trained here: what C prints belongs to the newest.
        _point_to(log)
    sys.stdout = sys.stderr = os.fdopen(open_log(log), "w", buffering=1, encoding="utf-8", errors="backslashreplace")


def _point_to(log: Path) -> None:
    file = open_log(log)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def open_log(log: Path) -> int:
    """Return a descriptor that appends to `log`, readable by its owner alone. Raises OSError."""
    return os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def flush() -> None:
    """Write out what Python still holds back."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
