"""`stoker …` in a real pseudo-terminal that is read as fast as it is written, or never."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pexpect
import pyte

PROGRAM = str(Path(sys.executable).with_name("stoker"))
PATIENCE = 900.0  # seconds until something is given up
# What a terminal of today answers when it is asked whether it can show a whole frame at once.
ASKED, ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
FRAME = b"\x1b[?2026h"


class Terminal:
    """Runs the program on a terminal of `columns` × `rows`; `heard` is (Unix seconds, bytes) of each piece read."""

    def __init__(
        self, arguments: list[str], *, columns: int = 120, rows: int = 40, read: bool = True, program: str = PROGRAM
    ) -> None:
        """Start the program; with `read` off nothing is ever read."""
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.began = time.time()
        self.heard: list[tuple[float, bytes]] = []
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._fed = 0
        self.process = pexpect.spawn(program, arguments, dimensions=(rows, columns), env=environment)
        self._reader = threading.Thread(target=self._read, daemon=True)
        if read:
            self._reader.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.isalive():
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def press(self, keys: str) -> float:
        """Type keys; returns when, in Unix seconds."""
        at = time.time()
        os.write(self.process.child_fd, keys.encode())
        return at

    def wait_for(self, stands: Callable[[list[str]], bool]) -> float:
        """Wait until a condition holds of the screen's rows; returns when the piece came that made it hold."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self._fed < len(self.heard):
                at, data = self.heard[self._fed]
                self._fed += 1
                self._stream.feed(data)
                if stands(self._screen.display):
                    return at
            elif not self._reader.is_alive():
                break
            else:
                time.sleep(0.001)
        raise TimeoutError("it never stood on the screen:\n" + "\n".join(self._screen.display))

    def bytes_between(self, since: float, until: float) -> int:
        """Return the bytes written between two times in Unix seconds."""
        return sum(len(data) for at, data in self.heard if since <= at < until)

    def frames_between(self, since: float, until: float) -> int:
        """Return the frames written between two times in Unix seconds."""
        return b"".join(data for at, data in self.heard if since <= at < until).count(FRAME)

    def end(self) -> None:
        """Press q until the program has ended."""
        deadline = time.monotonic() + 30
        while self.process.isalive() and time.monotonic() < deadline:
            self.press("q")
            time.sleep(0.2)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.process.child_fd, 1 << 16)
            except OSError:
                return
            if not data:
                return
            self.heard.append((time.time(), data))
            if ASKED in data:
                os.write(self.process.child_fd, ANSWER)
