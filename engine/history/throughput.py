"""The throughput of a run: steps per second of wall time, with evaluations and saves, without pauses."""

from __future__ import annotations

WARM_UP = 2.0  # seconds of training before the rate is shown
MIN_WINDOW = 30.0  # seconds that the rate looks back at least; else half of the time trained
MARKS = 256  # pairs of time and step kept at most


class Throughput:
    """Follows the progress of one run. All times come from events, so a recorded run gives the same numbers."""

    def __init__(self) -> None:
        """Start with no time trained."""
        self.active = 0.0
        self._since: float | None = None
        self._last = 0.0
        self._marks: list[tuple[float, int]] = []

    def start(self, at: float) -> None:
        """Count from `at`, in Unix seconds: an engine started, or resumed after a pause."""
        self.advance(at)
        self._since = self._last = at

    def stop(self, at: float) -> None:
        """Stop counting at `at`: the engine paused or ended."""
        self.advance(at)
        self._since = None

    def advance(self, at: float) -> None:
        """Count the time up to an event at `at`, in Unix seconds."""
        if self._since is not None:
            # A clock that was set back: count on from there.
            self.active += max(0.0, at - self._last)
            self._last = at

    def record(self, at: float, step: int) -> None:
        """Record that the run was at `step` at `at`, in Unix seconds."""
        self.advance(at)
        if self._marks and step <= self._marks[-1][1]:
            return
        self._marks.append((self.active, step))
        if len(self._marks) > MARKS:
            # Keep every second mark and the newest: the window needs only a rough start.
            self._marks = self._marks[::2] if len(self._marks) % 2 else self._marks[1::2]

    def reset_rate(self) -> None:
        """Drop the rate: the next steps belong to another fold or engine."""
        self._marks.clear()

    def restart(self) -> None:
        """Drop the rate and stop counting: another engine resumes later, perhaps from an earlier step."""
        self.reset_rate()
        self._since = None

    def elapsed(self, now: float) -> float:
        """Return the seconds trained, up to `now` while the engine trains."""
        running = max(0.0, now - self._last) if self._since is not None else 0.0
        return self.active + running

    def rate(self) -> float | None:
        """Return steps per second, or None before `WARM_UP` seconds of training."""
        if len(self._marks) < 2 or self.active - self._marks[0][0] < WARM_UP:
            return None
        end, last = self._marks[-1]
        window = max(MIN_WINDOW, (end - self._marks[0][0]) / 2)
        start, first = next((mark for mark in reversed(self._marks) if mark[0] <= end - window), self._marks[0])
        return (last - first) / (end - start) if end > start else None

    def seconds_left(self, steps: int, now: float) -> float | None:
        """Return the seconds for `steps` more steps, less the time since the last event; None without a rate."""
        rate = self.rate()
        if not rate:
            return None
        waiting = max(0.0, now - self._last) if self._since is not None else 0.0
        return max(0.0, steps / rate - waiting)
