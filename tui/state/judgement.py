"""The second row of the dashboard: how the training goes, why it stands, when it ends, and what a key would do next."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from rich.cells import cell_len

from stoker.engine.history.verdict import Verdict
from stoker.engine.runs.status import FINISHED

from ..formatting import count, value
from .run_view import RunView
from .styled_text import StyledRow

STYLES = {
    "improving": "$good",
    "flat": "$label",
    "noisy": "$caution",
    "worsening": "$caution",
    "overfitting": "$caution",
    "diverged": "$bad",
}
"""Colour of each kind of verdict."""
BAD = frozenset({"overfitting", "diverged"})
"""Kinds that a finished run says even though it completed."""
MUCH_WAITING = 0.4  # share of the time from which the data is the limit
DAY = 86_400.0  # seconds


def judgement(
    view: RunView,
    now: float,
    width: int,
    local: Callable[[float], time.struct_time] = time.localtime,
    *,
    keys: bool = True,
) -> StyledRow:
    """Return the row of `width` columns at `now`, in Unix seconds; what does not fit is left out from the end.

    `local` turns Unix seconds into the time of day of the person who looks. Without `keys` it names no key.
    """
    row: StyledRow = []
    parts = _parts(view, now, view.verdict(now), local)
    for text, style in [*parts, *(_keys(view, now) if keys else [])]:
        room = width - sum(cell_len(part) for part, _ in row)
        if row and cell_len(text) + 3 > room:
            break
        row += [(" · " if row else " ", "$label"), (text, style)]
    return row


def _parts(view: RunView, now: float, verdict: Verdict | None, local: Callable[[float], time.struct_time]) -> StyledRow:
    state = view.status(now)
    said: StyledRow = [(verdict.text, STYLES[verdict.kind])] if verdict else []
    if state == "failed":
        message = (view.finished.message if view.finished else "").strip().splitlines()
        return [(message[0], "$bad")] if message else []
    if state == "paused":
        if view.pause_cause == "nan":
            return [("paused: the loss is not finite", "$caution")]
        return said
    if state == "lost":
        return _lost(view, local)
    if state in FINISHED:
        shown = [part for part in said if verdict and verdict.kind in BAD]
        return [*shown, *_best(view)]
    if state in ("training", "evaluating"):
        return [*said, *_waiting(view), *_end(view, now, local)]
    return []


def _keys(view: RunView, now: float) -> StyledRow:
    """Return what the next keys would do."""
    state = view.status(now)
    hints: tuple[str, ...] = ()
    if state == "paused" and view.pause_cause == "nan":
        hints = ("space continues without that step", "- lowers the learning rate")
    elif state == "paused":
        hints = ("space continues",)
    elif state == "lost":
        hints = (_resume_hint(view),)
    elif state in FINISHED and state != "failed":
        hints = ("E results", "X export", "r trains longer")
    return [(hint, "$label") for hint in hints]


def _best(view: RunView) -> StyledRow:
    early = view.early_stopping
    if early is None or not early.best_step or not math.isfinite(early.best):
        return []
    return [(f"best {early.monitor} {value(early.best)} at step {count(early.best_step)}", "")]


def _lost(view: RunView, local: Callable[[float], time.struct_time]) -> StyledRow:
    parts: StyledRow = [(f"the engine is gone since {_clock(view.last_event, view.last_event, local)}", "$bad")]
    saved = _last_save(view)
    return [*parts, (f"last save step {count(saved)}" if saved else "nothing was saved", "$label")]


def _resume_hint(view: RunView) -> str:
    saved = _last_save(view)
    if not saved:
        return "r begins anew"
    again = view.step - saved
    return f"r repeats {count(again)} step{'s' if again != 1 else ''}" if again else "r continues"


def _last_save(view: RunView) -> int:
    return max((event.step or 0 for event in view.checkpoints if event.kind != "best"), default=0)


def _waiting(view: RunView) -> StyledRow:
    """Return that the data is the limit, where the training mostly waits for it."""
    if view.data_wait is None or view.data_wait < MUCH_WAITING:
        return []
    return [(f"waits for data {view.data_wait:.0%} of the time: try more --workers", "$caution")]


def _end(view: RunView, now: float, local: Callable[[float], time.struct_time]) -> StyledRow:
    """Return when the run ends by the clock, and when at the earliest by its patience."""
    left = view.seconds_left(now)
    if left is None:
        return []
    parts: StyledRow = [(f"done {_clock(now + left, now, local)}", "$label")]
    early, rate = view.early_stopping, view.throughput.rate()
    if early is None or not early.patience or not rate:
        return parts
    steps = view.evaluation_interval
    soonest = (early.patience - early.waited) * steps / rate if steps else left
    return [*parts, (f"earliest {_clock(now + soonest, now, local)}", "$label")] if soonest < left else parts


def _clock(at: float, now: float, local: Callable[[float], time.struct_time]) -> str:
    """Return the time of day, with the day where it is another one."""
    moment = local(at)
    return time.strftime("%H:%M" if abs(at - now) < DAY else "%a %H:%M", moment)
