"""The app: one run's dashboard, and the engine that this process hosts for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

from textual.app import App
from textual.worker import Worker, WorkerState

from ..engine.errors import RequestError, StokerError, TrainingError
from ..engine.events import RunFinished
from ..engine.runs import RunFolder
from .host import Host
from .printed import Printed
from .screens.confirm import Confirm
from .screens.dashboard import Dashboard
from .source import FolderSource, LiveSource, Source

QUESTION = "The run trains in this window.\nSave a checkpoint and quit? `stoker resume` goes on from it."


class StokerApp(App[None]):
    """Shows the run in `folder`; with a `host`, trains it as well."""

    TITLE = "stoker"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        folder: RunFolder,
        *,
        host: Host | None = None,
        source: Source | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Without a `source` of its own the run is followed where it trains; `clock` is in Unix seconds."""
        super().__init__()
        self._events_loop: asyncio.AbstractEventLoop | None = None
        self.error: StokerError | None = None
        self.finished: RunFinished | None = None
        self._folder, self._host = folder, host
        self.detached = False
        """The run is to go on in a process of its own."""
        self._restarted = False
        self._quitting = False
        self._told_to_leave: int | None = None
        source = source or (LiveSource(host) if host else FolderSource(folder))
        self.dashboard = Dashboard(folder.name, source, Printed(folder.log), clock)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Name the greys that all panels use: of words and of lines."""
        return (
            {"label": "#8a8f98", "rail": "#3a3f47"}
            if self.current_theme.dark
            else {"label": "#5c636e", "rail": "#b4b9c0"}
        )

    def on_mount(self) -> None:
        """Show the dashboard."""
        self._events_loop = asyncio.get_running_loop()
        self.push_screen(self.dashboard)
        if self._told_to_leave is not None:
            self.exit(return_code=self._told_to_leave)

    def leave(self, code: int) -> None:
        """End the dashboard alone, with `code`; safe in a signal handler."""
        self._told_to_leave = code
        if self._events_loop is not None and not self._events_loop.is_closed():
            self._events_loop.call_soon_threadsafe(partial(self.exit, return_code=code))

    def on_dashboard_caught(self) -> None:
        """Start the engine, now that the first frame stands: importing torch takes seconds."""
        if self._host is not None:
            self._start(self._host)

    def on_dashboard_restart(self) -> None:
        """Start an engine for a run that ended; it goes on from the latest checkpoint."""
        self._restarted = True
        self._host = self._host or Host(self._folder)
        self._start(self._host)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The engine ended."""
        if event.worker.name != "engine":
            return
        if event.state is WorkerState.SUCCESS:
            self.finished = event.worker.result
            if self._host is not None and self._host.controls.signal is not None:
                self.exit(return_code=128 + self._host.controls.signal)
        elif event.state is WorkerState.ERROR:
            self._broke(event.worker.error)
        else:
            return
        if self._quitting:
            self._leave()

    def _broke(self, error: BaseException | None) -> None:
        words = str(error) if isinstance(error, StokerError) else f"{type(error).__name__}: {error}"
        if not isinstance(error, RequestError):
            self.error = error if isinstance(error, StokerError) else TrainingError(words)
            self.dashboard.failed(words)
        elif self._restarted:
            self.dashboard.refused(words)
        else:
            # Nothing was trained and nothing is there to be seen.
            self.error = error
            self._leave()

    async def action_quit(self) -> None:
        """Leave; a training in this process is asked to save first."""
        if self._host is None or not self._host.running:
            self._leave()
        elif not isinstance(self.screen, Confirm):
            self.push_screen(Confirm(QUESTION, yes="Save and quit", no="Stay"), self._answered)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to detach only what trains in this process; another's dashboard just leaves."""
        return action != "detach" or (self._host is not None and self._host.running)

    def action_detach(self) -> None:
        """Give the prompt back; a training in this process goes on in one of its own, from an exact save."""
        self.detached = True
        if self._host is not None and self._host.running:
            self._quitting = True
            self.dashboard.action_ask("stop")
        else:
            self._leave()

    def _start(self, host: Host) -> None:
        self.error = None
        host.start()
        self.run_worker(host.wait(), name="engine", exit_on_error=False)

    def _answered(self, quit_it: bool | None) -> None:
        if not quit_it:
            return
        self._quitting = True
        if self._host is not None and self._host.running:
            self.dashboard.action_ask("stop")
        else:
            self._leave()

    def _leave(self) -> None:
        failed = self.finished is not None and self.finished.cause == "failed"
        self.exit(return_code=self.error.exit_code if self.error else int(failed))
