"""The app: one run's dashboard, and the engine that this process hosts for it."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.app import App
from textual.worker import Worker, WorkerState

from ..engine.errors import RequestError
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
        self.error: Exception | None = None
        self.finished: RunFinished | None = None
        self._folder, self._host = folder, host
        self._started = False
        self._quitting = False
        source = source or (LiveSource(host) if host else FolderSource(folder))
        self.dashboard = Dashboard(folder.name, source, Printed(folder.log), clock)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Name the two greys that all panels use."""
        return {"label": "#8a8f98", "rail": "#3a3f47"}

    def on_mount(self) -> None:
        """Show the dashboard."""
        self.push_screen(self.dashboard)

    def on_dashboard_caught(self) -> None:
        """Start the engine, now that the first frame stands: importing torch takes seconds."""
        if self._host is not None:
            self._start(self._host)

    def on_dashboard_restart(self) -> None:
        """Start an engine for a run that ended; it goes on from the latest checkpoint."""
        self._started = True
        self._host = self._host or Host(self._folder)
        self._start(self._host)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The engine ended."""
        if event.worker.name != "engine":
            return
        if event.state is WorkerState.SUCCESS:
            self.finished = event.worker.result
        elif event.state is WorkerState.ERROR:
            error = event.worker.error
            assert isinstance(error, Exception)
            if isinstance(error, RequestError) and not self._started:
                self.error = error
                self.exit(return_code=error.exit_code)
                return
            self.error = error
            self.dashboard.failed(str(error) or repr(error))
        else:
            return
        if self._quitting:
            self._leave()

    async def action_quit(self) -> None:
        """Leave; a training in this process is asked to save first."""
        if self._host is None or not self._host.running:
            self._leave()
        elif not isinstance(self.screen, Confirm):
            self.push_screen(Confirm(QUESTION, yes="Save and quit", no="Stay"), self._answered)

    def _start(self, host: Host) -> None:
        self.error = self.finished = None
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
        failed = self.error is not None or (self.finished is not None and self.finished.cause == "failed")
        self.exit(return_code=1 if failed else 0)
