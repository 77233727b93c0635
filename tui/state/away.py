"""What happened to a run since a person last looked at it, for the dashboard on attach."""

from __future__ import annotations

import math

from stoker.engine.runs import events as e

from ..formatting import ago, count, value

LEAST_AWAY = 60.0  # seconds; a shorter absence needs no summary


class Away:
    """Counts the events after `seen`, in Unix seconds; 0 for a run that was never looked at."""

    def __init__(self, seen: float) -> None:
        """Start before the first event."""
        self._seen = seen
        self._step_then = self._step = self._saves = self._left_out = self._resumes = 0
        self._best_then: e.EarlyStopping | None = None
        self._best: e.EarlyStopping | None = None
        self._paused = ""
        self.dismissed = False
        """A key was pressed: the person has read it."""

    def receive(self, event: e.Event) -> None:
        """Count one past event."""
        new = event.at > self._seen
        if event.step is not None:
            self._step = max(self._step, event.step)
            self._step_then = self._step_then if new else self._step
        match event:
            case e.EarlyStopping() if math.isfinite(event.best):
                self._best = event
                self._best_then = self._best_then if new else event
            case e.CheckpointSaved():
                self._saves += new
            case e.Warned(kind="nan"):
                self._left_out += new
            case e.Paused() if new:
                self._paused = "paused" if event.cause == "command" else "paused: the loss was not finite"
            case e.Resumed():
                self._paused = ""
            case e.RunStarted(resumed_from=int()):
                self._resumes += new

    def line(self, now: float) -> str:
        """Return the summary at `now`, in Unix seconds; empty if there is nothing new, or it was read."""
        away = now - self._seen
        if self.dismissed or not self._seen or away < LEAST_AWAY or self._step == self._step_then:
            return ""
        parts = [f"step {count(self._step_then)} → {count(self._step)}"]
        if self._best is not None and (then := self._best_then) is not None:
            better = self._best.best_step > self._step_then
            mark = f" ★ at {count(self._best.best_step)}" if better else ", no better"
            change = f"{value(then.best)} → {value(self._best.best)}" if better else value(then.best)
            parts.append(f"{self._best.monitor} {change}{mark}")
        for number, words in (
            (self._saves, "save"),
            (self._left_out, "warning of NaN"),
            (self._resumes, "resume"),
        ):
            if number:
                parts.append(f"{count(number)} {words}{'s' * (number > 1 and words != 'warning of NaN')}")
        if self._paused:
            parts.append(self._paused)
        return f"since you left, {ago(away)} ago: {' · '.join(parts)}"
