"""The history of a run for dashboards, exports and notebooks: counts and curves built from its events."""

from __future__ import annotations

from pathlib import Path

from ..runs import events as e
from ..runs.folder import RunFolder
from ..runs.journal import LineFollower
from ..runs.metric_direction import direction
from ..runs.status import FINISHED
from .fold_history import FoldHistory
from .series import Points
from .throughput import Throughput

RECENT = 0.1  # weight of the newest event in the share of time spent waiting for data


class RunHistory:
    """The counts and curves of a run, built from its events. Call `RunHistory.read(folder)` for a run on disk.

    `folds` holds the curves of each fold by its number, from 0. A run without folds has the single key None. The
    properties for notebooks (`losses`, `learning_rates`, `metric`) read the fold that was trained last; for another
    one use `history.folds[0].losses`.
    """

    def __init__(self, name: str = "") -> None:
        """Start before the first event of the run called `name`."""
        self.name = name
        self.alive = True
        """An engine holds the run's lock. The owner of this object sets it."""
        self.state = "loading"
        """The state by the events alone; the names are those of `stoker.engine.runs.status`."""
        self.started: e.RunStarted | None = None
        self.finished: e.RunFinished | None = None
        self.step = 0
        self.fold: int | None = None
        self.folds: dict[int | None, FoldHistory] = {None: FoldHistory()}
        self.evaluating: e.Evaluating | None = None
        self.samples_per_second = 0.0
        self.data_wait: float | None = None
        """The share of the training time spent waiting for data, 0 to 1, lately; None where it was not measured."""
        self.lr: list[float] = []
        """The learning rate now, one for each parameter group."""
        self.lr_cause = "schedule"
        self.throughput = Throughput()
        self.save_failed = ""
        """Why the newest checkpoint could not be saved; empty after a successful save."""
        self.paused = False
        self.pause_cause = ""
        """Why the run is paused: `command` or `nan`; empty while it is not."""
        self.last_event = 0.0
        """Time of the newest event, in Unix seconds."""
        self._epoch = 0

    @classmethod
    def read(cls, folder: RunFolder | Path | str) -> RunHistory:
        """Return the history of a run folder, with every event written so far.

        Lines that are not events are skipped, so runs of older and newer versions open too. Raises RunError for a path
        that is not a run folder.
        """
        if not isinstance(folder, RunFolder):
            folder = RunFolder(Path(folder))
            folder.record()
        history = cls(folder.name)
        # Ask before reading: an engine that has ended by now has written all its events.
        history.alive = folder.locked()
        follower = LineFollower(folder.events)
        while lines := follower.read():
            for line in lines:
                if (event := e.decode(line)) is not None:
                    history.apply(event)
        return history

    @property
    def losses(self) -> Points:
        """The training loss of every step: (steps int64 (n,), values float32 (n,)); NaN where no loss was recorded."""
        return self.current.losses

    @property
    def learning_rates(self) -> list[Points]:
        """The learning rate, one (steps int64 (n,), values float32 (n,)) for each parameter group.

        A rate holds from its point until the next one; two equal values mark the ends of a constant stretch.
        """
        return [curve.points() for curve in self.current.lr]

    @property
    def metric_names(self) -> list[tuple[str, str]]:
        """The evaluated metrics as (split, name), in the order of their first evaluation."""
        return list(self.current.evaluated)

    def metric(self, split: str, name: str) -> Points:
        """Return an evaluated metric, such as ("test", "accuracy"): (steps int64 (n,), values float32 (n,)).

        Raises KeyError for a metric that was not evaluated; `metric_names` lists them.
        """
        return self.current.metric(split, name)

    def direction(self, name: str) -> str | None:
        """Return "higher" or "lower", whichever is better for the metric `name`, or None when that is unknown."""
        return direction(name, self.started.metrics if self.started else None)

    @property
    def checkpoints(self) -> list[e.CheckpointSaved]:
        """The checkpoints of the current fold, oldest first; a long run keeps at most a few thousand."""
        return self.current.checkpoints

    @property
    def current(self) -> FoldHistory:
        """The fold that is trained now, or was trained last."""
        return self.folds[self.fold]

    @property
    def only_logs(self) -> bool:
        """Whether the run only logs numbers: it has no epochs, no end and no learning rate of its own."""
        return self.started is not None and not self.started.epochs and not self.started.steps_per_epoch and not self.lr

    @property
    def steps_per_epoch(self) -> int | None:
        """The optimizer steps of an epoch, or None when unknown."""
        return (self.started.steps_per_epoch or None) if self.started else None

    @property
    def steps(self) -> int | None:
        """The optimizer steps of a whole fold, or None when unknown."""
        if self.started is None or not self.steps_per_epoch or self.started.epochs <= 0:
            return None
        return self.started.epochs * self.steps_per_epoch

    @property
    def epoch(self) -> int:
        """The current epoch, counted from 1; 0 before the first step."""
        return -(-self.step // self.steps_per_epoch) if self.steps_per_epoch else self._epoch

    @property
    def early_stopping(self) -> e.EarlyStopping | None:
        """The newest event of the early-stopping counter, or None before the first evaluation."""
        return self.current.early_stopping[-1] if self.current.early_stopping else None

    @property
    def evaluation_interval(self) -> int | None:
        """The steps between the two last evaluations on schedule, or None before the second one."""
        steps = [event.step for event in self.current.early_stopping[-2:] if event.step is not None]
        return steps[1] - steps[0] or None if len(steps) == 2 else None

    def latest(self, metric: str) -> float | None:
        """Return the newest value of `metric` on the validation data, or on the test data without validation."""
        curve = self.current.evaluated.get(("val", metric)) or self.current.evaluated.get(("test", metric))
        return curve.last if curve else None

    def elapsed(self, now: float) -> float:
        """Return the seconds trained until `now`, in Unix seconds; pauses do not count."""
        return self.throughput.elapsed(now) if self.alive else self.throughput.active

    def seconds_left(self, now: float) -> float | None:
        """Return the seconds left in this fold, or None when unknown."""
        if self.steps is None or self.state in FINISHED or not self.alive:
            return None
        return self.throughput.seconds_left(max(0, self.steps - self.step), now)

    def apply(self, event: e.Event) -> None:
        """Update the history with one event; never raises, whatever the event holds."""
        if event.fold is not None and event.fold != self.fold and isinstance(event, e.Steps | e.RunStarted):
            self._enter_fold(event.fold)
        if event.fold is None or event.fold == self.fold:
            fold = self.folds[self.fold]
        else:
            fold = self.folds.setdefault(event.fold, FoldHistory())
        fold.apply(event, self.step if event.step is None else event.step)
        self.last_event = max(self.last_event, event.at)
        if isinstance(event, e.Steps):
            self._add_steps(event)
            return
        match event:
            case e.RunStarted():
                self._start(event)
            case e.Logged() if event.values:
                self.throughput.record(event.at, max(self.step, event.step or 0))
            case e.Evaluating():
                self.state, self.evaluating = "evaluating", event
            case e.Evaluated():
                self.state, self.evaluating = "paused" if self.paused else "training", None
            case e.LearningRate():
                self.lr, self.lr_cause = event.lr, event.cause
            case e.CheckpointSaved():
                self.save_failed = ""
            case e.Warned(kind="save_failed"):
                self.save_failed = event.message or "a save failed"
            case e.Paused():
                self.paused, self.pause_cause, self.state = True, event.cause, "paused"
                self.throughput.stop(event.at)
            case e.Resumed():
                self.paused, self.pause_cause, self.state = False, "", "training"
                self.throughput.start(event.at)
            case e.RunFinished():
                self.state, self.finished, self.evaluating = event.cause, event, None
                self.throughput.stop(event.at)
        self.throughput.advance(event.at)
        self._move_to(event)

    def _add_steps(self, event: e.Steps) -> None:
        self.samples_per_second = event.samples_per_second
        if event.data_wait is not None:
            before = event.data_wait if self.data_wait is None else self.data_wait
            self.data_wait = before + RECENT * (event.data_wait - before)
        self.lr = event.lr or self.lr
        self._move_to(event)
        throughput, fold = self.throughput, self.folds[self.fold]
        throughput.record(event.at, self.step)
        fold.times.put(self.step, throughput.active - fold.start_seconds)
        if not self.paused and self.state in ("loading", "evaluating"):
            self.state, self.evaluating = "training", None

    def _start(self, event: e.RunStarted) -> None:
        self.name = event.run or self.name
        self.started, self.finished, self.evaluating = event, None, None
        self.state, self.paused = "training", False
        self.step, self._epoch = event.resumed_from or 0, 0
        self.throughput.restart()
        self.throughput.start(event.at)
        if event.resumed_from is None:
            self.current.start_seconds = self.throughput.active

    def _enter_fold(self, fold: int) -> None:
        # Events before the first one with a fold number belong to the first fold.
        if self.fold is None and fold not in self.folds:
            self.folds[fold] = self.folds.pop(None)
        elif fold not in self.folds:
            self.folds[fold] = FoldHistory(start_seconds=self.throughput.active)
        self.fold = fold
        self.step, self._epoch = self.current.train.last_step, 0
        self.throughput.reset_rate()

    def _move_to(self, event: e.Event) -> None:
        if event.fold not in (None, self.fold):
            return
        if event.step is not None:
            self.step = max(self.step, event.step)
        if event.epoch is not None:
            self._epoch = max(self._epoch, event.epoch)
