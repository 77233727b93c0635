"""One terminal with the app and the engine of this process: handles signals, and the loss of the terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import types
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from rich.console import Console

from stoker.engine.launch.signals import redirect_output_to_log
from stoker.engine.runs.commands import END_SIGNALS, Command

from ..terminal.alerts import RESTORE_TITLE
from ..terminal.restore import remember
from ..terminal.stream import TerminalStream, own_terminal
from .app import StokerApp


def show(app: StokerApp, log: Path) -> bool:
    """Run the app, with all other output in `log`; return whether the terminal is still open.

    If the app ends before its engine (the terminal is gone, or the app failed), wait until the run has ended. Output
    then goes to the run's engine.log.
    """
    for name in ("COLUMNS", "LINES"):
        # If a shell exports these variables, Textual uses them and ignores the terminal's real size.
        os.environ.pop(name, None)
    restore = remember()
    with own_terminal(log) as terminal, _quit_signal(restore), _signals(app, terminal) as early:
        terminal.on_gone = partial(_end_app_and_save, app)
        app.error_console = Console(file=terminal, markup=False, highlight=False)
        try:
            app.run()
        except BaseException:
            # Textual gives the terminal back, unless its own code has failed.
            restore()
            raise
        if app.title_changed:
            terminal.write(RESTORE_TITLE)
        if early and app.engine is not None and app.engine.running:
            # The engine started while the handler ran, so it did not hear of the signal.
            app.engine.controls.end(early[-1])
            app.engine.controls.wake()
    engine = app.engine
    if terminal.gone and engine is not None:
        redirect_output_to_log(engine.folder)
    # The engine may have ended together with the app, which then never saw its result.
    unseen = terminal.gone and app.finished is None and app.error is None
    if engine is not None and engine.started and (engine.running or unseen):
        with _signals(app, terminal):
            app.finished = engine.wait()
    return not terminal.gone


def _end_app_and_save(app: StokerApp) -> None:
    """End the app; the training continues after a save."""
    app.leave(128 + signal.SIGHUP)
    if app.engine is not None and app.engine.running:
        app.engine.controls.send(Command(command="save"))


@contextlib.contextmanager
def _quit_signal(restore: Callable[[], None]) -> Iterator[None]:
    """Let SIGQUIT end the process at once, as everywhere, but with the terminal as it was."""

    def end(signum: int, _frame: types.FrameType | None) -> None:
        restore()
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)

    before = signal.signal(signal.SIGQUIT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGQUIT, before)


@contextlib.contextmanager
def _signals(app: StokerApp, terminal: TerminalStream) -> Iterator[list[int]]:
    """Turn SIGINT, SIGTERM, SIGUSR1 and SIGUSR2 into requests to the engine; SIGHUP ends only the app.

    Yield the list of the signals that came while no engine was running.
    """
    early: list[int] = []

    def end(signum: int, _frame: types.FrameType | None) -> None:
        if app.engine is not None and app.engine.running:
            app.engine.controls.end(signum)
            app.engine.controls.wake()
            # A second Ctrl+C ends the program without waiting for the save.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        else:
            early.append(signum)
            app.leave(128 + signum)

    def hang_up(_signum: int, _frame: types.FrameType | None) -> None:
        terminal.mark_gone()

    handlers: dict[int, Callable[[int, types.FrameType | None], None]] = dict.fromkeys(END_SIGNALS, end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        handlers[signal.SIGHUP] = hang_up
    before = {signum: signal.signal(signum, handler) for signum, handler in handlers.items()}
    try:
        yield early
    finally:
        for signum, handler in before.items():
            # Of a detached run the background process is still to be started: a SIGHUP must not end this one before.
            if not (app.detached and signum == signal.SIGHUP):
                signal.signal(signum, handler)
