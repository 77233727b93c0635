"""Give the terminal back as it was, where the interface cannot do it itself: after a crash, or at SIGQUIT."""

from __future__ import annotations

import contextlib
import os
import termios
from collections.abc import Callable

MODES = (1000, 1002, 1003, 1004, 1006, 1015, 1016, 2004, 2026, 2048)
"""Private modes of a terminal that Textual may have set: the mouse, the focus, pasted text, updates, its size."""
RESET = (
    "".join(f"\x1b[?{mode}l" for mode in MODES)
    + "\x1b[<u"  # the keyboard protocol of kitty
    + "\x1b[?1049l\x1b[?25h\x1b[0m"  # the usual screen, the cursor, no colours
)


def remember() -> Callable[[], None]:
    """Note how the terminal is now; return a function that gives it back. It may be called in a signal handler."""
    streams = [number for number in (0, 1, 2) if os.isatty(number)]
    if not streams:
        return lambda: None
    file = os.dup(streams[-1])
    attributes = None
    with contextlib.suppress(termios.error, OSError):
        attributes = termios.tcgetattr(file)

    def restore() -> None:
        with contextlib.suppress(termios.error, OSError, ValueError):
            if attributes is not None:
                termios.tcsetattr(file, termios.TCSANOW, attributes)
            os.write(file, RESET.encode())

    return restore
