"""`stoker …` in a real pseudo-terminal that is read as fast as it is written, or never."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pexpect
import psutil
import pyte

from .process import family

PROGRAM = str(Path(sys.executable).with_name("stoker"))
PATIENCE = 120.0  # seconds until something is given up
GAUGES = 3  # rows in which a clock or a gauge may go on
CLOSING = 10.0  # seconds that a killed program may take to be gone
FRAME = b"\x1b[?2026h"
# What a terminal of today answers when it is asked something; programs wait for it before they draw.
ANSWERS = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",  # a whole frame can be shown at once
    b"\x1b[6n": b"\x1b[1;1R",  # where the cursor is
    b"\x1b[c": b"\x1b[?62c",  # a VT220
    b"\x1b]11;?": b"\x1b]11;rgb:0000/0000/0000\x07",  # the background is black
}


class Terminal:
    """Runs the program on a terminal of `columns` × `rows`; `heard` is (Unix seconds, bytes) of each piece read."""

    def __init__(
        self,
        arguments: list[str],
        *,
        columns: int = 120,
        rows: int = 40,
        read: bool = True,
        program: str = PROGRAM,
        environment: dict[str, str] | None = None,
    ) -> None:
        """Start the program; with `read` off nothing is ever read."""
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
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
        # Closed before it is waited for: a program whose last words nobody reads may not be gone until then.
        for process in family(self.process.pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self._reader.is_alive():
            self._reader.join(CLOSING)
        self.process.close(force=True)

    def press(self, keys: str) -> float:
        """Type keys; returns when, in Unix seconds."""
        at = time.time()
        os.write(self.process.child_fd, keys.encode())
        return at

    def wait_for(self, stands: Callable[[list[str]], bool]) -> float:
        """Wait until a condition holds of the screen's rows; returns when the piece came that made it hold."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if (at := self._feed()) is not None:
                if stands(self._screen.display):
                    return at
            elif not self._reader.is_alive():
                break
            else:
                time.sleep(0.001)
        raise TimeoutError("it never stood on the screen:\n" + "\n".join(self._screen.display))

    def wait_until_still(self, since: float, quiet: float) -> float:
        """Wait until the screen has stood for `quiet` seconds, but for `GAUGES` rows; returns when it last changed.

        `since` is the earliest answer.
        """
        shown, changed = self._screen.display, since
        while (now := time.time()) < since + PATIENCE:
            if (at := self._feed()) is not None:
                new = self._screen.display
                if sum(row != other for row, other in zip(new, shown, strict=True)) > GAUGES:
                    shown, changed = new, max(at, since)
            elif now > changed + quiet:
                return changed
            else:
                time.sleep(0.001)
        raise TimeoutError("the screen never stood still")

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

    def _feed(self) -> float | None:
        """Draw the next piece that was read; returns when it came, or None if there is none."""
        if self._fed == len(self.heard):
            return None
        at, data = self.heard[self._fed]
        self._fed += 1
        self._stream.feed(data)
        return at

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.process.child_fd, 1 << 16)
            except OSError:
                return
            if not data:
                return
            self.heard.append((time.time(), data))
            for asked, answer in ANSWERS.items():
                if asked in data:
                    os.write(self.process.child_fd, answer)
