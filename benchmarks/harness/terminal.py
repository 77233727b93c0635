"""A program in a real pseudo-terminal that is read as fast as the program writes, or never."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pexpect
import pyte

from . import process_family

PROGRAM = str(Path(sys.executable).with_name("stoker"))
TIME_LIMIT = 120.0  # seconds to wait for something on the screen
MOVING_ROWS = 3  # rows that may still change on a screen that stands still: clocks and gauges
CLOSE_TIME = 10.0  # seconds until the reader thread of a killed program has ended
FRAME_START = b"\x1b[?2026h"
# Answers of a current terminal to queries; some programs wait for them before they draw.
ANSWERS = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",  # synchronized output is supported
    b"\x1b[6n": b"\x1b[1;1R",  # position of the cursor
    b"\x1b[c": b"\x1b[?62c",  # a VT220
    b"\x1b]11;?": b"\x1b]11;rgb:0000/0000/0000\x07",  # the background is black
}


class Terminal:
    """Runs a program on a terminal of `columns` × `rows`.

    `chunks` holds what was read, each piece as (Unix seconds, bytes).
    """

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
        """Start the program; with `read=False` its output is never read."""
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
        self.started_at = time.time()
        self.chunks: list[tuple[float, bytes]] = []
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
        # Close the terminal before waiting: a program whose output is not read may not end until then.
        process_family.kill(self.process.pid)
        if self._reader.is_alive():
            self._reader.join(CLOSE_TIME)
        self.process.close(force=True)

    def press(self, keys: str) -> float:
        """Type keys and return the time, in Unix seconds."""
        at = time.time()
        os.write(self.process.child_fd, keys.encode())
        return at

    def wait_for(self, condition: Callable[[list[str]], bool]) -> float:
        """Wait until `condition` is true for the screen's rows; return the Unix time at which the screen became so.

        Raises TimeoutError.
        """
        deadline = time.monotonic() + TIME_LIMIT
        while time.monotonic() < deadline:
            if (at := self._feed()) is not None:
                if condition(self._screen.display):
                    return at
            elif not self._reader.is_alive():
                break
            else:
                time.sleep(0.001)
        raise TimeoutError("the screen never showed it:\n" + "\n".join(self._screen.display))

    def wait_until_still(self, since: float, quiet: float) -> float:
        """Wait until at most `MOVING_ROWS` rows have changed for `quiet` seconds; return the Unix time of the last change.

        The result is never earlier than `since`. Raises TimeoutError.
        """
        shown, changed = self._screen.display, since
        while (now := time.time()) < since + TIME_LIMIT:
            if (at := self._feed()) is not None:
                new = self._screen.display
                if sum(row != other for row, other in zip(new, shown, strict=True)) > MOVING_ROWS:
                    shown, changed = new, max(at, since)
            elif now > changed + quiet:
                return changed
            else:
                time.sleep(0.001)
        raise TimeoutError("the screen never stood still")

    def bytes_between(self, since: float, until: float) -> int:
        """Return the bytes written between two times in Unix seconds."""
        return sum(len(data) for at, data in self.chunks if since <= at < until)

    def frames_between(self, since: float, until: float) -> int:
        """Return the frames written between two times in Unix seconds."""
        return b"".join(data for at, data in self.chunks if since <= at < until).count(FRAME_START)

    def end(self) -> None:
        """Press q until the program ends."""
        deadline = time.monotonic() + 30
        while self.process.isalive() and time.monotonic() < deadline:
            self.press("q")
            time.sleep(0.2)

    def _feed(self) -> float | None:
        """Feed the next chunk to the screen; return its time, or None if there is none."""
        if self._fed == len(self.chunks):
            return None
        at, data = self.chunks[self._fed]
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
            self.chunks.append((time.time(), data))
            for query, answer in ANSWERS.items():
                if query in data:
                    os.write(self.process.child_fd, answer)
