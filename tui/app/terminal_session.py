"""One terminal, one dashboard, and the engine in this process: what happens to the training when the terminal goes."""

from __future__ import annotations

import contextlib
import os
import signal
import types
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from rich.console import Console

from stoker.engine.launch.process import ENDING, leave_terminal
from stoker.engine.runs.commands import Command

from ..terminal.alerts import RESTORE
from ..terminal.stream import Terminal, own_terminal
from .app import StokerApp


def show(app: StokerApp, log: Path) -> bool:
    """Run the app, with what is printed in `log`; says whether its terminal is still there.

    Where the app ends and its engine does not (the terminal is gone, or the app broke), this waits until the run has
    ended, with what is printed from then on in its engine.log.
    """
    for name in ("COLUMNS", "LINES"):
        # Where a shell exports them Textual would believe them, and never follow the terminal.
        os.environ.pop(name, None)
    with own_terminal(log) as terminal, _signals(app, terminal):
        terminal.on_gone = partial(_lost, app)
        app.error_console = Console(file=terminal, markup=False, highlight=False)
        app.run()
        if app.titled:
            terminal.write(RESTORE)
    host = app.host
    if terminal.gone and host is not None:
        leave_terminal(host.folder)
    if host is not None and host.running:
        with _signals(app, terminal):
            app.finished = host.join()
    return not terminal.gone


def _lost(app: StokerApp) -> None:
    """The app ends, the training saves and goes on."""
    app.leave(128 + signal.SIGHUP)
    if app.host is not None and app.host.running:
        app.host.controls.send(Command(command="save"))


@contextlib.contextmanager
def _signals(app: StokerApp, terminal: Terminal) -> Iterator[None]:
    """Let the ending signals be requests to the engine, and SIGHUP the end of the app alone."""

    def end(signum: int, _frame: types.FrameType | None) -> None:
        if app.host is not None and app.host.running:
            app.host.controls.end(signum)
            app.host.controls.wake()
            # Whoever asks a second time does not want to wait for the save.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        else:
            app.leave(128 + signum)

    def hang_up(_signum: int, _frame: types.FrameType | None) -> None:
        terminal.lose()

    handlers: dict[int, Callable[[int, types.FrameType | None], None]] = dict.fromkeys(ENDING, end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        handlers[signal.SIGHUP] = hang_up
    before = {signum: signal.signal(signum, handler) for signum, handler in handlers.items()}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
