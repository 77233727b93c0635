"""A run as the dashboard shows it: its history, its log, and whether its engine is alive."""

from __future__ import annotations

from collections import deque

from stoker.engine.history.history import RunHistory
from stoker.engine.history.judge import judge
from stoker.engine.history.verdict import Verdict
from stoker.engine.runs import events as e
from stoker.engine.runs.status import FINISHED

from .event_text import outcome
from .log_lines import Level, Line, line

KEPT_LINES = 2000  # log lines kept at most
JUDGE_INTERVAL = 2.0  # seconds between two judgements while the run trains
BLINK = 0.3  # seconds; a shorter evaluation does not change the shown status


class RunView(RunHistory):
    """A history with its log. Nothing here needs Textual or torch, and the caller gives the time."""

    def __init__(self, name: str = "") -> None:
        """Start before the first event of the run called `name`."""
        super().__init__(name)
        self.caught_up = False
        """All past events have been applied. The owner of the view sets it."""
        self.remote = False
        """The engine runs, or ran, on another machine. The owner of the view sets it."""
        self.starting = False
        """An engine was requested and has not sent an event yet."""
        self.loading_since: float | None = None
        """The start of the run, or the request of its engine, in Unix seconds. The owner of the view sets it."""
        self.lines: deque[Line] = deque(maxlen=KEPT_LINES)
        self.log_version = 0
        """Counts the changes of `lines`."""
        self.version = 0
        """Counts the changes of everything shown."""
        self._verdict: Verdict | None = None
        self._judged: tuple[float, int] = (0.0, -1)  # when, in Unix seconds, and the version that was judged
        self._evaluated: tuple[int | None, int | None] | None = None  # fold and step of the last line, an evaluation's

    def status(self, now: float) -> str:
        """Return the name of the state to show at `now`, in Unix seconds."""
        if self.starting:
            return "loading"
        if self.state in FINISHED:
            return self.state
        if not self.alive:
            return "lost" if self.started else "new"
        if self.evaluating is not None and now - self.evaluating.at < BLINK:
            return "paused" if self.paused else "training"
        return self.state

    def verdict(self, now: float) -> Verdict | None:
        """Return the judgement of the training at `now`, in Unix seconds; a new one every `JUDGE_INTERVAL` at most."""
        at, version = self._judged
        if self.caught_up and version != self.version and (self.finished or not 0 <= now - at < JUDGE_INTERVAL):
            self._verdict, self._judged = judge(self), (now, self.version)
        return self._verdict

    def clock(self, now: float) -> float:
        """Return the seconds to show at `now`: of loading while the run loads, then of training."""
        if self.status(now) == "loading" and self.caught_up and self.loading_since is not None:
            return max(0.0, now - self.loading_since)
        return self.elapsed(now)

    def apply(self, event: e.Event) -> None:
        """Update the view with one event, and add its line to the log."""
        self.version += 1
        super().apply(event)
        if isinstance(event, e.Steps):
            return
        if self.starting and isinstance(event, e.RunStarted | e.RunFinished):
            self.starting = False
        self._log(event)

    def note(self, at: float, level: Level, text: str) -> None:
        """Add a log line that is not an event: a message of the dashboard, or printed output."""
        self._add_line((at, level, text))
        self._evaluated = None

    def engine_requested(self, now: float) -> None:
        """Show the run as loading from `now`, in Unix seconds, until the requested engine sends its first event."""
        self.version += 1
        self.starting = True
        self.loading_since = now

    def engine_refused(self) -> None:
        """Show the run as it was before the engine was requested."""
        self.version += 1
        self.starting = False

    def _log(self, event: e.Event) -> None:
        place = (event.fold, event.step)
        if isinstance(event, e.EarlyStopping) and self._evaluated == place and self.lines:
            # One line for an evaluation: its value and its outcome.
            at, level, text = self.lines.pop()
            self._add_line((at, "good" if event.waited == 0 else level, f"{text}   {outcome(event)}"))
            return
        if (words := line(event)) is not None:
            self._add_line(words)
            self._evaluated = place if isinstance(event, e.Evaluated) else None

    def _add_line(self, words: Line) -> None:
        self.lines.append(words)
        self.log_version += 1
        self.version += 1
