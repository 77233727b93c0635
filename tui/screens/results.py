"""What the best checkpoint of a run is worth: metrics, each class, the confusion matrix, the folds."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, ScrollableContainer
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static
from textual.worker import Worker, WorkerState

from stoker.engine.runs.folder import RunFolder

from ..backend.cli_process import output
from ..formatting import count
from ..state import result_tables as scores
from ..widgets.screen_header import Title

WAITING = "Measuring the {} in a process of its own… {:.0f} s"
NAMED = {"": "best checkpoint there is", "best": "best checkpoint", "latest": "latest checkpoint"}
BROKEN = "{}\n\n[$label]l measures the latest checkpoint, b the best one[/]"
PARTS = {"folds": scores.folds, "metrics": scores.metrics, "classes": scores.classes, "confusion": scores.confusion}


class Results(Screen[None]):
    """Opened, it measures; what it shows is what `stoker evaluate RUN` prints."""

    TITLE = "results"
    HELP = """\
The checkpoint is measured on the data that was held out, in a process of its own: a run that trains is not \
disturbed. In the confusion matrix the rows are the true classes, the columns the predicted ones; \
the folds of a run of several are added."""
    AUTO_FOCUS = "#measured"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    BINDINGS = [
        Binding("b", "measure('best')", "Best", id="results.best", tooltip="Measure the best checkpoint"),
        Binding("l", "measure('latest')", "Latest", id="results.latest", tooltip="Measure the latest checkpoint"),
        Binding("f,tab", "fold(1)", "Fold", id="results.fold", tooltip="The next fold, then all of them together"),
        Binding("x", "app.export", "Export", id="results.export", tooltip="Write curves or weights to a file"),
    ]  # fmt: skip

    def __init__(self, folder: RunFolder) -> None:
        """Measure the run in `folder`."""
        super().__init__()
        self.folder = folder
        self._which = ""
        self._began = 0.0
        self._result: dict[str, Any] | None = None
        self._at = 0

    def compose(self) -> ComposeResult:
        """Lay out what is shown once it is known, and a line until then."""
        yield Title(id="title")
        yield Static(id="waiting")
        with ScrollableContainer(id="measured"):
            for name in ("folds", "metrics"):
                yield Static(id=name, classes="part" if name == "folds" else "")
            with Container(id="of-classes"):
                for name in ("classes", "confusion"):
                    yield Static(id=name, classes="part")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to measure."""
        for name, title in (("folds", "folds"), ("classes", "classes"), ("confusion", "true ↓  predicted →")):
            self.query_one(f"#{name}").border_title = title
        self.set_interval(1.0, self._wait)
        self.action_measure()

    def action_measure(self, which: str = "") -> None:
        """Measure the best checkpoint there is, or another one."""
        self._which, self._result, self._began, self._at = which, None, time.monotonic(), 0
        self._wait()
        self._show()
        path = self.folder.path
        chosen = ("--checkpoint", which) if which else ()
        asked = output("evaluate", str(path.absolute()), *chosen, "--json")
        self.run_worker(asked, name="measure", exclusive=True, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """It was measured, or it could not be."""
        if event.state is WorkerState.ERROR:
            self._began = 0.0
            words = str(event.worker.error).replace("[", r"\[")
            self.query_one("#waiting", Static).update(BROKEN.format(words))
        elif event.state is WorkerState.SUCCESS:
            self._began = 0.0
            # What the task itself printed comes before.
            said = f"\n{event.worker.result}"
            self._result = msgspec.json.decode(said[said.rindex("\n{\n") :].replace("NaN", "null"))
            self._show()

    def _wait(self) -> None:
        if self._began:
            waited = time.monotonic() - self._began
            self.query_one("#waiting", Static).update(WAITING.format(NAMED[self._which], waited))

    def _show(self) -> None:
        result = self._result
        self.query_one("#waiting").display = result is None
        self.query_one("#measured").display = result is not None
        self.query_one(Title).show("results", self.folder.name)
        self.refresh_bindings()
        if result is None:
            return
        views = scores.choices(result)
        view = views[self._at]
        several = len(views) - 1
        fold = "" if not several else f"fold {self._at} of {several}" if self._at else f"all {several} folds"
        saved = "" if several and not self._at else f"{view['checkpoint']} · step {count(view['step'])}"
        self.query_one(Title).show("results", self.folder.name, [fold, saved, f"{result['split']} data"], fold)
        for name, rows_of in PARTS.items():
            there = {"folds": several > 0, "metrics": not several}.get(name, "confusion" in view)
            part = self.query_one(f"#{name}", Static)
            part.display = there
            if there:
                rows = rows_of(result if name in ("folds", "metrics") else view)
                part.update(Content("\n").join(Content.assemble(*row) for row in rows))
        self.query_one("#measured").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer folds only where there are any, and to measure when nothing is being measured."""
        if action == "fold":
            return bool(self._result and self._result.get("folds"))
        return action != "measure" or not self._began

    def action_fold(self, by: int) -> None:
        """Look at the next fold."""
        assert self._result is not None, "offered only then"
        self._at = (self._at + by) % len(scores.choices(self._result))
        self._show()
