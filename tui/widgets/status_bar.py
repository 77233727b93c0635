"""The top of the dashboard: state, run, device, time, and the judgement of the training."""

from __future__ import annotations

from rich.cells import cell_len

from stoker.engine.runs.status import FINISHED, label

from ..formatting import count, duration
from ..state.judgement import BAD, judgement
from ..state.run_view import RunView
from ..state.styled_text import StyledRow
from .panel import Panel, justify

STATE_STYLES = {
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
"""Mark and colour of each state, by its name in `stoker.engine.runs.status`."""
UNKNOWN = ("·", "$secondary")


class StatusBar(Panel):
    """State, run, device, model size and the time of training or loading; below them how the training goes."""

    def rows(self, view: RunView, now: float, width: int) -> list[StyledRow]:
        """Return the line and the judgement below it; without room the less important facts are dropped first."""
        state = view.status(now)
        mark, style = STATE_STYLES.get(state, UNKNOWN)
        if state in FINISHED and (verdict := view.verdict(now)) is not None and verdict.kind in BAD:
            style = "$warning" if style == "$success" else style
        words = label(state)
        if state == "evaluating" and view.evaluating is not None:
            words = f"evaluating {view.evaluating.split}"
        left: StyledRow = [(f" {mark} {words} ", f"bold $text on {style}"), (f" {view.name} ", "bold")]
        if view.save_failed:
            left.insert(1, (" ! not saved ", "bold $text on $error"))
        if view.remote and state not in FINISHED:
            host = f"on {view.started.host}" if view.started and view.started.host else "on another machine"
            left.insert(1, (f" read-only: trains {host} ", "bold $text on $secondary"))
        right: StyledRow = [(f" {duration(view.clock(now))} ", "bold")]
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
        return [justify(left, right, width), justify(judgement(view, now, width), [], width)]
