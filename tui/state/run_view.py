"""Folds a run's events into what is shown of it: no Textual, no torch, no clock of its own."""

from __future__ import annotations

from collections import deque

from stoker.engine.history.fold_history import Fold
from stoker.engine.history.throughput import Pace
from stoker.engine.runs import events as e

from .log_lines import Level, Line, line, outcome

KEPT_LINES = 2000
BLINK = 0.3  # seconds; a shorter evaluation is not worth a word
FINISHED = frozenset({"completed", "early_stopping", "stopped", "failed"})


class RunView:
    """What is known of a run after the events so far; `apply` never raises on an odd event."""

    def __init__(self, name: str = "") -> None:
        """Start before the first event of the run called `name`."""
        self.name = name
        self.alive = True  # set by who looks: whether an engine trains it
        self.caught = False  # set by who looks: the whole history was taken in
        self.elsewhere = False  # set by who looks: whether that engine is, or was, on another machine
        self.state = "loading"
        self.expected = False  # an engine was asked for and has said nothing yet
        self.started: e.RunStarted | None = None
        self.finished: e.RunFinished | None = None
        self.step = 0
        self.fold: int | None = None
        self.folds: dict[int | None, Fold] = {None: Fold()}
        self.evaluating: e.Evaluating | None = None
        self.samples_per_second = 0.0
        self.lr: list[float] = []
        self.lr_cause = "schedule"
        self.pace = Pace()
        self.lines: deque[Line] = deque(maxlen=KEPT_LINES)
        self.said = 0  # changes of `lines` so far
        self.version = 0
        self.save_failed = ""  # why the last save was none
        self._epoch = 0
        self.paused = False
        self._evaluated: tuple[int | None, int | None] | None = None  # fold and step of the last line, if it is one

    @property
    def now(self) -> Fold:
        """The fold that is trained now."""
        return self.folds[self.fold]

    @property
    def steps_per_epoch(self) -> int | None:
        """The optimiser steps of an epoch, where that is known."""
        return (self.started.steps_per_epoch or None) if self.started else None

    @property
    def steps(self) -> int | None:
        """The optimiser steps of the whole fold, where that is known."""
        if self.started is None or not self.steps_per_epoch or self.started.epochs <= 0:
            return None
        return self.started.epochs * self.steps_per_epoch

    @property
    def epoch(self) -> int:
        """The epoch under way, the first is 1; 0 before the first step."""
        return -(-self.step // self.steps_per_epoch) if self.steps_per_epoch else self._epoch

    @property
    def early(self) -> e.EarlyStopping | None:
        """The early-stop counter as it stands."""
        return self.now.early[-1] if self.now.early else None

    def latest(self, metric: str) -> float | None:
        """Return the newest value of `metric`, of the data that is watched: validation where there is any."""
        curve = self.now.evaluated.get(("val", metric)) or self.now.evaluated.get(("test", metric))
        return curve.last if curve else None

    def standing(self, now: float) -> str:
        """Say how the run stands at `now`, in Unix seconds: its state, or that its engine is gone."""
        if self.expected:
            return "loading"
        if self.state in FINISHED:
            return self.state
        if not self.alive:
            return "lost" if self.started else "new"
        if self.evaluating is not None and now - self.evaluating.at < BLINK:
            return "paused" if self.paused else "training"
        return self.state

    def elapsed(self, now: float) -> float:
        """Return the seconds trained."""
        return self.pace.elapsed(now) if self.alive else self.pace.active

    def left(self, now: float) -> float | None:
        """Return the seconds left in this fold, or None while nobody can tell."""
        if self.steps is None or self.state in FINISHED or not self.alive:
            return None
        return self.pace.left(max(0, self.steps - self.step), now)

    def apply(self, event: e.Event) -> None:
        """Fold one event in."""
        self.version += 1
        if event.fold is not None and event.fold != self.fold and isinstance(event, e.Steps | e.RunStarted):
            self._turn_to(event.fold)
        fold = self.folds.setdefault(event.fold, Fold()) if event.fold is not None else self.now
        fold.apply(event, self.step if event.step is None else event.step)
        match event:
            case e.Steps():
                self._steps(event)
                return
            case e.RunStarted():
                self._start(event)
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
                self.paused, self.state = True, "paused"
                self.pace.halt(event.at)
            case e.Resumed():
                self.paused, self.state = False, "training"
                self.pace.go(event.at)
            case e.RunFinished():
                self.expected = False
                self.state, self.finished, self.evaluating = event.cause, event, None
                self.pace.halt(event.at)
        self.pace.tick(event.at)
        self._place(event)
        self._tell(event)

    def note(self, at: float, level: Level, text: str) -> None:
        """Add a line of the dashboard's own, or one that was printed."""
        self._write((at, level, text))
        self._evaluated = None

    def expect(self) -> None:
        """An engine was asked for: until it says something the run is being loaded."""
        self.version += 1
        self.expected = True

    def refused(self) -> None:
        """The engine that was asked for did not begin: all is as it was."""
        self.version += 1
        self.expected = False

    def _steps(self, event: e.Steps) -> None:
        self.samples_per_second = event.samples_per_second
        self.lr = event.lr or self.lr
        self._place(event)
        self.pace.mark(event.at, self.step)
        self.now.times.put(self.step, self.pace.active - self.now.began)
        if not self.paused and self.state in ("loading", "evaluating"):
            self.state, self.evaluating = "training", None

    def _start(self, event: e.RunStarted) -> None:
        self.name = event.run or self.name
        self.started, self.finished, self.evaluating = event, None, None
        self.state, self.paused, self.expected = "training", False, False
        self.step, self._epoch = event.resumed_from or 0, 0
        self.pace.restart()
        self.pace.go(event.at)
        if event.resumed_from is None:
            self.now.began = self.pace.active

    def _turn_to(self, fold: int) -> None:
        # What came before the first word of folds belongs to the first one.
        first = self.fold is None and fold not in self.folds
        if first:
            self.folds[fold] = self.folds.pop(None)
        elif fold not in self.folds:
            self.folds[fold] = Fold(began=self.pace.active)
        self.fold = fold
        self.step, self._epoch = self.now.train.last_step, 0
        self.pace.forget()

    def _place(self, event: e.Event) -> None:
        if event.fold not in (None, self.fold):
            return
        if event.step is not None:
            self.step = max(self.step, event.step)
        if event.epoch is not None:
            self._epoch = max(self._epoch, event.epoch)

    def _tell(self, event: e.Event) -> None:
        place = (event.fold, event.step)
        if isinstance(event, e.EarlyStopping) and self._evaluated == place and self.lines:
            # One line an evaluation is enough: its value and what it meant.
            at, level, text = self.lines.pop()
            self._write((at, "good" if event.waited == 0 else level, f"{text}   {outcome(event)}"))
            return
        if (words := line(event)) is not None:
            self._write(words)
            self._evaluated = place if isinstance(event, e.Evaluated) else None

    def _write(self, words: Line) -> None:
        self.lines.append(words)
        self.said += 1
        self.version += 1
