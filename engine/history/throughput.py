"""How fast a run goes: steps over wall time, evaluations and saves included, pauses not."""

from __future__ import annotations

WARM_UP = 2.0  # seconds of training before a rate is worth showing
LEAST_WINDOW = 30.0  # seconds that a rate looks back at least; else half of the time trained
MARKS = 256


class Pace:
    """Follows one engine's progress; all times are the events' own, so a recorded run gives the same numbers."""

    def __init__(self) -> None:
        """Start with no time trained."""
        self.active = 0.0
        self._since: float | None = None
        self._last = 0.0
        self._marks: list[tuple[float, int]] = []

    def go(self, at: float) -> None:
        """An engine began, or goes on after a pause."""
        self.tick(at)
        self._since = self._last = at

    def halt(self, at: float) -> None:
        """The engine paused or ended."""
        self.tick(at)
        self._since = None

    def tick(self, at: float) -> None:
        """Something was heard at this time, in Unix seconds."""
        if self._since is not None and at > self._last:
            self.active += at - self._last
            self._last = at

    def mark(self, at: float, step: int) -> None:
        """The run stood at `step` at this time."""
        self.tick(at)
        if self._marks and step <= self._marks[-1][1]:
            return
        self._marks.append((self.active, step))
        if len(self._marks) > MARKS:
            # Every second mark, the newest kept: the window needs no more than a rough start.
            self._marks = self._marks[::2] if len(self._marks) % 2 else self._marks[1::2]

    def forget(self) -> None:
        """Forget the rate: what follows is counted from another step."""
        self._marks.clear()

    def restart(self) -> None:
        """Another engine goes on, later and perhaps from an earlier step; the time between is not training."""
        self.forget()
        self._since = None

    def elapsed(self, now: float) -> float:
        """Return the seconds trained, up to `now` while the engine trains."""
        running = max(0.0, now - self._last) if self._since is not None else 0.0
        return self.active + running

    def rate(self) -> float | None:
        """Return steps a second, or None before there was enough to tell."""
        if len(self._marks) < 2 or self.active - self._marks[0][0] < WARM_UP:
            return None
        end, last = self._marks[-1]
        window = max(LEAST_WINDOW, (end - self._marks[0][0]) / 2)
        start, first = next((mark for mark in reversed(self._marks) if mark[0] <= end - window), self._marks[0])
        return (last - first) / (end - start) if end > start else None

    def left(self, steps: int, now: float) -> float | None:
        """Return the seconds that `steps` more steps take, less what passed since the last news."""
        rate = self.rate()
        if not rate:
            return None
        waiting = max(0.0, now - self._last) if self._since is not None else 0.0
        return max(0.0, steps / rate - waiting)
