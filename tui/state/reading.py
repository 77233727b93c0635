"""Values of a run at one step: the step that a person names, and a line to copy."""

from __future__ import annotations

import re

import numpy as np

from stoker.engine.history.history import RunHistory

from ..formatting import count, plain, value
from ..plotting.curve_cache import CurveCache
from .charts import LEARNING_RATE, NamedSeries, ShownFold, charts_of, fold_of, value_at

CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{2})")
EPOCH = re.compile(r"e(?:poch)?\s*([\d.]+)")


def step_of(text: str, history: RunHistory, shown: ShownFold) -> int | None:
    """Return the step that `text` names, within the run; None where it names none.

    `3550` or `3,550` is a step, `e4` or `epoch 4` the end of an epoch, `12:30` or `1:02:00` a time trained.
    """
    text = text.strip().lower()
    fold = fold_of(history, shown)
    last = max(history.step if fold is history.current else 0, fold.train.last_step)
    if (clock := CLOCK.fullmatch(text)) is not None:
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        found = float(fold.times.steps(np.array([hours * 3600.0 + minutes * 60 + seconds]))[0])
    elif (epoch := EPOCH.fullmatch(text)) is not None and history.steps_per_epoch:
        found = _number(epoch[1]) * history.steps_per_epoch
    else:
        found = _number(text.replace(",", "").replace("_", ""))
    return max(0, min(last, round(found))) if np.isfinite(found) else None


def values_line(history: RunHistory, shown: ShownFold, step: int) -> str:
    """Return every value at `step` on one line: `step 3,550  train loss 0.0374  test loss 0.0282  learning rate 0.001`."""
    parts = [f"step {count(step)}"]
    for chart in charts_of(history, shown, CurveCache(), ""):
        for named in chart.curves:
            parts.append(_part(chart.name, named, step))
    return "  ".join(part for part in parts if part)


def _part(chart: str, named: NamedSeries, step: int) -> str:
    name, curve = named
    number = value_at(curve, step)
    shown = plain if chart == LEARNING_RATE else value
    return "" if number is None else f"{name} {chart} {shown(number)}".strip()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
