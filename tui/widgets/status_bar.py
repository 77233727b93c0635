"""The top line: what runs, where, and how it stands."""

from __future__ import annotations

from rich.cells import cell_len

from ..formatting import count, duration
from ..state.run_view import FINISHED, RunView
from .panel import Panel, Part, spread

LOOKS = {
    "loading": ("○", "$secondary"),
    "training": ("●", "$success"),
    "evaluating": ("◆", "$accent"),
    "paused": ("‖", "$warning"),
    "completed": ("✓", "$success"),
    "early_stopping": ("✓", "$success"),
    "stopped": ("■", "$warning"),
    "failed": ("✗", "$error"),
    "lost": ("?", "$error"),
}
WORDS = {"loading": "loading…", "early_stopping": "stopped early"}


class StateLine(Panel):
    """State, run, task, device, size and time trained, on one line."""

    def rows(self, view: RunView, now: float, width: int) -> list[list[Part]]:
        """Return the one line; what matters less gives way first."""
        state = view.standing(now)
        mark, style = LOOKS.get(state, ("·", "$secondary"))
        words = WORDS.get(state, state)
        if state == "evaluating" and view.evaluating is not None:
            words = f"evaluating {view.evaluating.split}"
        left: list[Part] = [(f" {mark} {words} ", f"bold $text on {style}"), (f" {view.name} ", "bold")]
        if view.save_failed:
            left.insert(1, (" ! not saved ", "bold $text on $error"))
        if view.elsewhere and state not in FINISHED:
            host = f" on {view.started.host}" if view.started and view.started.host else " elsewhere"
            left.insert(1, (f" read-only: trains{host} ", "bold $text on $secondary"))
        right: list[Part] = [(f" {duration(view.elapsed(now))} ", "bold")]
        started = view.started
        if started is not None:
            fold = f"fold {view.fold + 1}/{started.folds}" if view.fold is not None and started.folds > 1 else ""
            size = f"{count(started.parameters)} parameters" if started.parameters else ""
            where = started.device if width < 100 or not started.host else f"{started.device} on {started.host}"
            facts = [fact for fact in (fold, where, size) if fact]
            room = width - sum(cell_len(text) for text, _ in left[:-1] + right) - min(cell_len(view.name) + 2, 24)
            while facts and len(" · ".join(facts)) + 1 > room:
                facts.pop()
            if facts:
                right.insert(0, (" " + " · ".join(facts), "$label"))
        return [spread(left, right, width)]
