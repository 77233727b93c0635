"""The real program in a real pseudo-terminal, with the screen as a user sees it."""

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

from tests.support.deadlines import deadline

TIME_LIMIT = 60.0  # seconds to wait for something on the screen; a busy machine loads torch slowly
PROGRAM = str(Path(sys.executable).with_name("stoker"))


class Terminal:
    """Runs `stoker`, or another program, in a terminal of `columns` × `rows`."""

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
        """Close the terminal while the program runs."""
        self.process.ptyproc.fileobj.close()
        self.process.closed = self.process.ptyproc.closed = True

    def press(self, *keys: str) -> None:
        """Type keys."""
        for key in keys:
            self.process.send(key)

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal's size."""
        self.screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    @property
    def text(self) -> str:
        """The screen's current content."""
        self._read(0.02)
        return "\n".join(self.screen.display)

    def wait_for(self, what: str | Callable[[str], bool]) -> str:
        """Wait until the screen matches a pattern or fulfils a condition; return the screen."""
        holds = what if callable(what) else lambda text: re.search(what, text) is not None
        end = deadline(TIME_LIMIT)
        while time.monotonic() < end:
            if holds(text := self.text):
                return text
        raise AssertionError(f"{what!r} was never on the screen:\n{self.text}")

    def wait_for_end(self) -> int:
        """Wait until the program has ended and return its exit code."""
        end = deadline(TIME_LIMIT)
        while self.process.isalive() and time.monotonic() < end:
            self._read(0.05)
        self._read(0.05)
        assert not self.process.isalive(), f"the program did not end:\n{self.text}"
        return int(self.process.exitstatus if self.process.exitstatus is not None else -self.process.signalstatus)

    def number(self, pattern: str) -> int:
        """Wait for a pattern and return the number in its first group; thousands separators are ignored."""
        found = re.search(pattern, self.wait_for(pattern))
        assert found is not None
        return int(found[1].replace(",", ""))

    def _read(self, seconds: float) -> None:
        try:
            while True:
                self._stream.feed(self.process.read_nonblocking(65536, seconds))
        except (pexpect.TIMEOUT, pexpect.EOF):
            return
