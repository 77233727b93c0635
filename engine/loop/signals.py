"""Signals in a user's own script: save and end the run, after the script's own handlers."""

from __future__ import annotations

import signal
import threading
import types
from collections.abc import Callable
from typing import Any

from ..runs.commands import END_SIGNALS, Controls
from .checks import debugger_active

DEFAULTS = (signal.SIG_DFL, signal.SIG_IGN, signal.default_int_handler, None)


def install(controls: Controls) -> Callable[[], None]:
    """Let signals end the run after a save, and return a function that restores the handlers.

    A handler of the script's own runs first. Outside the main thread nothing is installed, and under a debugger an
    interrupt is left to it.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    wanted = [signum for signum in END_SIGNALS if signum != signal.SIGINT or not debugger_active()]
    before: dict[int, Any] = {signum: signal.getsignal(signum) for signum in wanted}

    def end(signum: int, frame: types.FrameType | None) -> None:
        if before[signum] not in DEFAULTS:
            before[signum](signum, frame)
        controls.end(signum)
        controls.wake()
        if signal.SIGINT in before:
            # A person who presses ctrl+c again does not want to wait for the save.
            signal.signal(signal.SIGINT, signal.SIG_DFL)

    for signum in wanted:
        signal.signal(signum, end)

    def restore() -> None:
        for signum, handler in before.items():
            if handler is not None:
                signal.signal(signum, handler)

    return restore
