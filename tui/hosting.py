"""One terminal, one dashboard, and the engine in this process: what happens to the training when the terminal goes."""

from __future__ import annotations

import contextlib
import signal
import types
from collections.abc import Callable, Iterator
from functools import partial

from rich.console import Console

from ..engine.controls import Command
from ..engine.process import ENDING, leave_terminal
from ..engine.runs import RunFolder
from .app import StokerApp
from .host import Host
from .terminal import Terminal, own_terminal


def show(app: StokerApp, host: Host | None, folder: RunFolder) -> bool:
    """Run the dashboard of the run in `folder`; says whether its terminal is still there.

    Where the dashboard ends and the engine does not (the terminal is gone, or the dashboard broke), this waits until
    the run has ended, with what is printed from then on in engine.log.
    """
    with own_terminal(folder.log) as terminal, _signals(app, host, terminal):
        terminal.on_gone = partial(_lost, app, host)
        app.error_console = Console(file=terminal, markup=False, highlight=False)
        app.run()
    if terminal.gone:
        leave_terminal(folder)
    if host is not None and host.running:
        with _signals(app, host, terminal):
            app.finished = host.join()
    return not terminal.gone


def _lost(app: StokerApp, host: Host | None) -> None:
    """The dashboard ends, the training saves and goes on."""
    app.leave(128 + signal.SIGHUP)
    if host is not None and host.running:
        host.controls.send(Command(command="save"))


@contextlib.contextmanager
def _signals(app: StokerApp, host: Host | None, terminal: Terminal) -> Iterator[None]:
    """Let the ending signals be requests to the engine, and SIGHUP the end of the dashboard alone."""

    def end(signum: int, frame: types.FrameType | None) -> None:
        if host is not None and host.running:
            host.controls.end(signum)
            host.controls.wake()
            # Whoever asks a second time does not want to wait for the save.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        else:
            app.leave(128 + signum)

    def hang_up(signum: int, frame: types.FrameType | None) -> None:
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
