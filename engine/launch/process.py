"""Run the engine in the main thread of this process, where signals save and end the run."""

from __future__ import annotations

from collections.abc import Callable

from ..runs.commands import Controls
from ..runs.events import Event, RunFinished
from ..runs.folder import RunFolder
from .signals import install_signal_handlers


def run(
    folder: RunFolder, controls: Controls, emit: Callable[[Event], None], checkpoint: str | None = None
) -> tuple[RunFinished, int]:
    """Train the run in this thread, and return its last event and the exit code. Raises StokerError.

    SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 save the run and end it with 128 + signal; a second SIGINT ends it at once. SIGHUP saves
    the run, which then continues with its output in engine.log.
    """
    install_signal_handlers(controls, folder)
    # Imported after the handlers are set: importing torch takes seconds, and a signal may arrive meanwhile.
    from ..session import train

    finished = train(folder, controls, emit, checkpoint=checkpoint)
    return finished, exit_code(finished, controls)


def exit_code(finished: RunFinished, controls: Controls) -> int:
    """Return 0 for a run that finished or was stopped on request, 1 if it failed, 128 + signal if a signal ended it."""
    if finished.cause == "failed":
        return 1
    return 128 + controls.signal if finished.cause == "stopped" and controls.signal is not None else 0
