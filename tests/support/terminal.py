"""A real pseudo-terminal with the real program in it, read as a person reads it."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pexpect
import pyte

PATIENCE = 60.0  # seconds until something is given up; a busy machine loads torch slowly
PROGRAM = str(Path(sys.executable).with_name("stoker"))


class Terminal:
    """Runs `stoker …`, or another program, on a terminal of `columns` × `rows`."""

    def __init__(
        self, arguments: list[str], folder: Path, columns: int = 120, rows: int = 40, program: str = PROGRAM
    ) -> None:
        """Start the program in `folder`."""
        kind = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
        environment = {**os.environ, **kind, "OMP_NUM_THREADS": "1"}
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.process = pexpect.spawn(program, arguments, cwd=str(folder), dimensions=(rows, columns), env=environment)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.process.closed:
            self.process.close(force=True)
        elif self.process.isalive():
            os.kill(self.process.pid, signal.SIGKILL)
            os.waitpid(self.process.pid, 0)

    def cut(self) -> None:
        """Close the terminal under the program."""
        self.process.ptyproc.fileobj.close()
        self.process.closed = self.process.ptyproc.closed = True

    def press(self, *keys: str) -> None:
        """Type keys."""
        for key in keys:
            self.process.send(key)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        self.screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    @property
    def text(self) -> str:
        """What stands on the screen now."""
        self._read(0.02)
        return "\n".join(self.screen.display)

    def wait_for(self, what: str | Callable[[str], bool]) -> str:
        """Wait until a pattern stands on the screen, or a condition holds of it; returns the screen."""
        holds = what if callable(what) else lambda text: re.search(what, text) is not None
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if holds(text := self.text):
                return text
        raise AssertionError(f"{what!r} never stood on the screen:\n{self.text}")

    def wait_for_end(self) -> int:
        """Wait until the program has ended; returns its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.process.isalive() and time.monotonic() < deadline:
            self._read(0.05)
        self._read(0.05)
        assert not self.process.isalive(), f"the program did not end:\n{self.text}"
        return int(self.process.exitstatus if self.process.exitstatus is not None else -self.process.signalstatus)

    def number(self, pattern: str) -> int:
        """Return the number, with or without separators, that a pattern's group finds on the screen."""
        found = re.search(pattern, self.wait_for(pattern))
        assert found is not None
        return int(found[1].replace(",", ""))

    def _read(self, seconds: float) -> None:
        try:
            while True:
                self._stream.feed(self.process.read_nonblocking(65536, seconds))
        except (pexpect.TIMEOUT, pexpect.EOF):
            return
