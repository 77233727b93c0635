"""The results of a checkpoint: metrics, classes, confusion matrix, folds."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, ScrollableContainer
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from stoker.engine.runs.folder import RunFolder

from ..backend.cli_process import run_command
from ..formatting import count
from ..state import result_tables as tables
from ..widgets.key_footer import KeyFooter
from ..widgets.screen_header import ScreenHeader

WAITING = "Evaluating the {} in a separate process… {:.0f} s"
CHECKPOINTS = {"": "best available checkpoint", "best": "best checkpoint", "latest": "latest checkpoint"}
FAILED = "{}\n\n[$label]Press l for the latest checkpoint, b for the best one.[/]"
PARTS = {"folds": tables.folds, "metrics": tables.metrics, "classes": tables.classes, "confusion": tables.confusion}


class Results(Screen[None]):
    """Evaluates a checkpoint by `stoker evaluate`, and shows the result."""

    TITLE = "results"
    HELP = """\
The checkpoint is evaluated on the held-out data in a separate process, so that a training run is not disturbed. \
In the confusion matrix the rows are the true classes and the columns the predicted ones. The matrices of several \
folds are added."""
    AUTO_FOCUS = "#measured"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    BINDINGS = [
        Binding("b", "measure('best')", "Best", id="results.best", tooltip="Evaluate the best checkpoint"),
        Binding("l", "measure('latest')", "Latest", id="results.latest", tooltip="Evaluate the latest checkpoint"),
        Binding("f,tab", "fold(1)", "Fold", id="results.fold", tooltip="The next fold, then all folds"),
        Binding("x", "app.export", "Export", id="results.export", tooltip="Export curves or weights to a file"),
    ]  # fmt: skip

    def __init__(self, folder: RunFolder) -> None:
        """Evaluate the run in `folder`."""
        super().__init__()
        self.folder = folder
        self._which = ""
        self._started = 0.0
        self._result: dict[str, Any] | None = None
        self._index = 0

    def compose(self) -> ComposeResult:
        """Create the widgets of the result, and a line of text for the time before the result."""
        yield ScreenHeader(id="title")
        yield Static(id="waiting")
        with ScrollableContainer(id="measured"):
            for name in ("folds", "metrics"):
                yield Static(id=name, classes="part" if name == "folds" else "")
            with Container(id="of-classes"):
                for name in ("classes", "confusion"):
                    yield Static(id=name, classes="part")
        yield KeyFooter(show_command_palette=False)

    def on_mount(self) -> None:
        """Start the evaluation."""
        for name, title in (("folds", "folds"), ("classes", "classes"), ("confusion", "true ↓  predicted →")):
            self.query_one(f"#{name}").border_title = title
        self.set_interval(1.0, self._show_waiting)
        self.action_measure()

    def action_measure(self, which: str = "") -> None:
        """Evaluate `best` or `latest`; by default the best checkpoint, or the latest without a best one."""
        self._which, self._result, self._started, self._index = which, None, time.monotonic(), 0
        self._show_waiting()
        self._show()
        path = self.folder.path
        chosen = ("--checkpoint", which) if which else ()
        result = run_command("evaluate", str(path.absolute()), *chosen, "--json")
        self.run_worker(result, name="measure", exclusive=True, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Show the result, or the error."""
        if event.state is WorkerState.ERROR:
            self._started = 0.0
            words = str(event.worker.error).replace("[", r"\[")
            self.query_one("#waiting", Static).update(FAILED.format(words))
        elif event.state is WorkerState.SUCCESS:
            self._started = 0.0
            # The task may print too; the result is the last JSON object.
            printed = f"\n{event.worker.result}"
            self._result = msgspec.json.decode(printed[printed.rindex("\n{\n") :].replace("NaN", "null"))
            self._show()

    def _show_waiting(self) -> None:
        if self._started:
            waited = time.monotonic() - self._started
            self.query_one("#waiting", Static).update(WAITING.format(CHECKPOINTS[self._which], waited))

    def _show(self) -> None:
        result = self._result
        self.query_one("#waiting").display = result is None
        self.query_one("#measured").display = result is not None
        self.query_one(ScreenHeader).show("results", self.folder.name)
        self.refresh_bindings()
        if result is None:
            return
        views = tables.views(result)
        view = views[self._index]
        several = len(views) - 1
        fold = "" if not several else f"fold {self._index} of {several}" if self._index else f"all {several} folds"
        saved = "" if several and not self._index else f"{view['checkpoint']} · step {count(view['step'])}"
        self.query_one(ScreenHeader).show("results", self.folder.name, [fold, saved, f"{result['split']} data"], fold)
        for name, rows_of in PARTS.items():
            there = {"folds": several > 0, "metrics": not several}.get(name, "confusion" in view)
            part = self.query_one(f"#{name}", Static)
            part.display = there
            if there:
                rows = rows_of(result if name in ("folds", "metrics") else view)
                part.update(Content("\n").join(Content.assemble(*row) for row in rows))
        self.query_one("#measured").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer folds only for a result with folds, and an evaluation only while none is running."""
        if action == "fold":
            return bool(self._result and self._result.get("folds"))
        return action != "measure" or not self._started

    def action_fold(self, by: int) -> None:
        """Show the next fold."""
        assert self._result is not None, "the action is offered only with a result"
        self._index = (self._index + by) % len(tables.views(self._result))
        self._show()
