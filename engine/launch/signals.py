"""Signals that save and end a run, and the redirection of its output when the terminal is gone.

This is for an engine in the main thread. `tui/app/terminal_session.py` does the same for the dashboard, and
`engine/loop/signals.py` for a script with a loop of its own.
"""

from __future__ import annotations

import os
import signal
import stat
import types

from ..runs.commands import END_SIGNALS, Command, Controls
from ..runs.folder import RunFolder


def install_signal_handlers(controls: Controls, folder: RunFolder) -> None:
    """Turn signals into requests to the loop, which handles them between two batches."""

    def end(signum: int, _: types.FrameType | None) -> None:
        controls.end(signum)
        controls.wake()
        # A second Ctrl+C ends the process without waiting for the save.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def hang_up(_signum: int, _: types.FrameType | None) -> None:
        redirect_output_to_log(folder)
        controls.send(Command(command="save"))

    for signum in END_SIGNALS:
        signal.signal(signum, end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, hang_up)


def redirect_output_to_log(folder: RunFolder) -> None:
    """Send output meant for a terminal to engine.log: a print to a dead terminal must not raise in the training."""
    log = os.open(folder.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    for descriptor in (1, 2):
        # Files and pipes outlive the terminal. Not isatty: it is false for a terminal that is gone.
        if stat.S_ISCHR(os.fstat(descriptor).st_mode):
            os.dup2(log, descriptor)
    os.close(log)
    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(null, 0)
    os.close(null)
