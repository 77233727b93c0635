"""The runs as a list: state, progress, best value, age."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from stoker.engine.errors import RunError
from stoker.engine.runs.events import EarlyStopping, Evaluated, RunFinished, RunStarted, Steps
from stoker.engine.runs.folder import RunFolder, state
from stoker.engine.tasks.parameters import shorten

WIDEST = 40  # characters of a run's name in a table
STATES = {"early_stopping": "stopped early"}  # those that a person reads under another name


@dataclass(frozen=True)
class Row:
    """One run as it is listed; `age` is in seconds since anything was said."""

    run: str
    task: str
    state: str
    step: int
    epoch: int
    epochs: int | None
    monitor: str | None
    best: float | None
    metrics: dict[str, float]
    started: float
    age: float


def summarise(folder: RunFolder, now: float | None = None) -> Row:
    """Read the end of a run's journal, which tells enough for a list."""
    try:
        record = folder.record()
    except RunError:
        return Row(folder.name, "?", "unreadable", 0, 0, None, None, None, {}, 0.0, 0.0)
    events = folder.last_events()
    step = epoch = 0
    monitor: str | None = None
    best: float | None = None
    metrics: dict[str, float] = {}
    for event in events:
        match event:
            case RunStarted() | Steps():
                step, epoch = event.step or step, event.epoch or epoch
            case Evaluated():
                metrics = event.metrics
            case EarlyStopping():
                monitor, best = event.monitor, event.best
            case RunFinished():
                step, epoch = event.step or step, event.epoch or epoch
                metrics = event.test or metrics
    last = max((event.at for event in events), default=record.started)
    return Row(
        run=folder.name,
        task=record.task,
        state=state(events, alive=folder.locked()),
        step=step,
        epoch=epoch,
        epochs=record.settings.get("epochs"),
        monitor=monitor,
        best=best if best is not None and math.isfinite(best) else None,
        metrics={name: value for name, value in metrics.items() if math.isfinite(value)},
        started=record.started,
        age=max(0.0, (time.time() if now is None else now) - last),
    )


def table(rows: list[Row]) -> str:
    """Return the rows as aligned plain text."""
    lines = [("RUN", "STATE", "EPOCH", "STEP", "BEST", "AGE")]
    for row in rows:
        best = f"{row.monitor} {row.best:.4g}" if row.best is not None else "-"
        epochs = f"{row.epoch}/{row.epochs}" if row.epochs else str(row.epoch)
        standing = STATES.get(row.state, row.state)
        lines.append((shorten(row.run, WIDEST), standing, epochs, str(row.step), best, ago(row.age)))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def ago(seconds: float) -> str:
    """Return a time span as people say it, in its largest unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
