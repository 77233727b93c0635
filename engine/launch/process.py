"""Run the engine in the main thread of this process, where signals save and end the run."""

from __future__ import annotations

import os
import signal
import stat
import types
from collections.abc import Callable

from ..runs.commands import Command, Controls
from ..runs.events import Event, RunFinished
from ..runs.folder import RunFolder

END_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


def run(
    folder: RunFolder, controls: Controls, emit: Callable[[Event], None], checkpoint: str | None = None
) -> tuple[RunFinished, int]:
    """Train the run in this thread, and return its last event and the exit code. Raises StokerError.

    SIGTERM, SIGINT and SIGUSR1 save the run and end it with 128 + signal; a second SIGINT ends it at once. SIGHUP saves
    the run, which then trains on with its output in engine.log.
    """
    install_signal_handlers(controls, folder)
    # Imported after that: torch takes seconds, and a signal may come in them.
    from ..session import train

    finished = train(folder, controls, emit, checkpoint=checkpoint)
    return finished, exit_code(finished, controls)


def exit_code(finished: RunFinished, controls: Controls) -> int:
    """Return 0 for a run that finished or was stopped on request, 1 if it failed, 128 + signal if a signal ended it."""
    if finished.cause == "failed":
        return 1
    return 128 + controls.signal if finished.cause == "stopped" and controls.signal is not None else 0


def install_signal_handlers(controls: Controls, folder: RunFolder) -> None:
    """Turn signals into requests to the loop, which handles them between two batches."""

    def end(signum: int, _: types.FrameType | None) -> None:
        controls.end(signum)
        controls.wake()
        # A person who presses ctrl+c again does not want to wait for the save.
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
    log = os.open(folder.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for descriptor in (1, 2):
        # Files and pipes outlive the terminal. Not isatty: it is false for a terminal that is gone.
        if stat.S_ISCHR(os.fstat(descriptor).st_mode):
            os.dup2(log, descriptor)
    os.close(log)
    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(null, 0)
    os.close(null)
