"""Events as lines of the log on the screen: the sentence of the event, and a level that sets its colour."""

from __future__ import annotations

from typing import Literal

from stoker.engine.runs import events as e

from ..formatting import count
from .event_text import sentence

Level = Literal["info", "good", "notice", "warning", "error", "printed"]
Line = tuple[float, Level, str]  # Unix seconds, level, text


def line(event: e.Event) -> Line | None:
    """Return the event as a line of the log, or None if the log has no line for it."""
    level = _level(event)
    if level is None:
        return None
    text = sentence(event, "" if event.step is None else f" at step {count(event.step)}")
    return None if text is None else (event.at, level, text)


def _level(event: e.Event) -> Level | None:
    match event:
        case e.RunStarted() | e.Paused() | e.Resumed():
            return "notice"
        case e.Evaluated() | e.LearningRate() | e.Logged():
            return "info"
        case e.EarlyStopping():
            return "good" if event.waited == 0 else "info"
        case e.CheckpointSaved():
            return "good"
        case e.CommandAnswered(status="failed"):
            return "error"
        case e.CommandAnswered(command="stop"):
            return "notice"
        case e.Warned():
            return "warning"
        case e.RunFinished():
            return "error" if event.cause == "failed" else "good"
    # A command that succeeded needs no line of its own: the event that it caused has one.
    return None
