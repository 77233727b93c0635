"""Hosts the engine in the main thread of a process of its own, where signals mean a save and an end."""

from __future__ import annotations

import os
import signal
import stat
import types
from collections.abc import Callable

from ..errors import StokerError
from ..runs.commands import Command, Controls
from ..runs.events import Event, RunFinished
from ..runs.folder import RunFolder

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


def run(
    folder: RunFolder, controls: Controls, say: Callable[[Event], None], checkpoint: str | None = None
) -> tuple[RunFinished, int]:
    """Train the run in this thread, and return its last event and the exit code. Raises StokerError.

    SIGTERM, SIGINT and SIGUSR1 save and end with 128 + signal; a second SIGINT ends at once. SIGHUP saves and the
    training goes on, its output in engine.log.
    """
    heed(controls, folder)
    # Only now, because torch takes seconds and a signal may come in them.
    from ..session import train

    finished = train(folder, controls, say, checkpoint=checkpoint)
    return finished, exit_code(finished, controls)


def exit_code(finished: RunFinished, controls: Controls) -> int:
    """Return 0 where a run finished or was stopped on request, 1 where it failed, 128 + signal where told to end."""
    if finished.cause == "failed":
        return 1
    return 128 + controls.signal if finished.cause == "stopped" and controls.signal is not None else 0


def heed(controls: Controls, folder: RunFolder) -> None:
    """Let the ending signals and SIGHUP be requests to the loop, which acts on them between two batches."""

    def end(signum: int, _: types.FrameType | None) -> None:
        controls.end(signum)
        controls.wake()
        # Whoever asks a second time does not want to wait for the save.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def hang_up(_signum: int, _: types.FrameType | None) -> None:
        leave_terminal(folder)
        controls.send(Command(command="save"))

    for signum in ENDING:
        signal.signal(signum, end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, hang_up)


def leave_terminal(folder: RunFolder) -> None:
    """Send what would be printed to a terminal to engine.log: a print to a dead one must not raise in the training."""
    log = os.open(folder.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for descriptor in (1, 2):
        # Not a file or a pipe, which outlive the terminal; isatty says no of a terminal that is gone.
        if stat.S_ISCHR(os.fstat(descriptor).st_mode):
            os.dup2(log, descriptor)
    os.close(log)
    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(null, 0)
    os.close(null)


def describe(error: StokerError) -> str:
    """Return the one line that an error is shown as."""
    return f"stoker: {' '.join(str(error).split())}"
