"""One line about a run, from the end of its journal: state, progress, best value, age."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any

from stoker.engine.errors import RunError
from stoker.engine.runs.events import EarlyStopping, Evaluated, RunFinished, RunStarted, Steps
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runs.metric_direction import direction
from stoker.engine.runs.status import state_of


@dataclass(frozen=True)
class RunSummary:
    """One run as it is listed."""

    run: str
    task: str
    state: str
    """A name of `stoker.engine.runs.status`."""
    step: int
    epoch: int
    epochs: int | None
    monitor: str | None
    """The metric that early stopping watches; `best` is its best value."""
    best: float | None
    metrics: dict[str, float]
    """The last evaluated metrics that are finite."""
    started: float
    """Unix seconds."""
    age: float
    """Seconds since the last event."""
    settings: dict[str, Any] = field(default_factory=dict)
    """The parameters of the task, and the settings."""
    differs: str = ""
    """The settings in which the listed runs of its task differ, such as `dropout=0.5 seed=3`."""
    curve: list[float] = field(default_factory=list)
    """The newest evaluations of the monitored metric, oldest first; those that are finite."""
    direction: str | None = None
    """Whether `higher` or `lower` is better for the monitored metric; None if that is unknown."""
    seconds: float | None = None
    """The time from the start to the last event, in seconds."""


def summarise(folder: RunFolder, now: float | None = None) -> RunSummary:
    """Read the end of a run's journal; `now` is in Unix seconds."""
    try:
        record = folder.record()
    except RunError:
        return RunSummary(folder.name, "?", "unreadable", 0, 0, None, None, None, {}, 0.0, 0.0)
    events = folder.last_events()
    step = epoch = 0
    monitor: str | None = None
    best: float | None = None
    metrics: dict[str, float] = {}
    directions: dict[str, str] = {}
    evaluated: list[Evaluated] = []
    for event in events:
        if isinstance(event, RunStarted) and event.metrics:
            directions = event.metrics
        match event:
            case RunStarted() | Steps():
                step, epoch = event.step or step, event.epoch or epoch
            case Evaluated():
                metrics = event.metrics
                evaluated.append(event)
            case EarlyStopping():
                monitor, best = event.monitor, event.best
            case RunFinished():
                step, epoch = event.step or step, event.epoch or epoch
                metrics = event.test or metrics
    if best is None and (early := folder.last_early_stopping()) is not None and (early.step or 0) <= step:
        monitor, best = early.monitor, early.best
    curve = [event.metrics[monitor] for event in evaluated if monitor in event.metrics] if monitor else []
    last = max((event.at for event in events), default=record.started)
    return RunSummary(
        run=folder.name,
        task=record.task,
        state=state_of(events, alive=folder.locked()),
        step=step,
        epoch=epoch,
        epochs=epochs if isinstance(epochs := record.settings.get("epochs"), int) else None,
        monitor=monitor,
        best=best if best is not None and math.isfinite(best) else None,
        metrics={name: value for name, value in metrics.items() if math.isfinite(value)},
        started=record.started,
        settings={**record.parameters, **(record.settings or record.given)},
        curve=[value for value in curve if math.isfinite(value)],
        direction=direction(monitor, directions) if monitor else None,
        seconds=max(0.0, last - record.started) if events else None,
        age=max(0.0, (time.time() if now is None else now) - last),
    )
