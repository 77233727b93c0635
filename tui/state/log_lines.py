"""Events as lines of the log."""

from __future__ import annotations

from typing import Literal

from stoker.engine.runs import events as e

from ..formatting import count, duration, metrics, plains, size

Level = Literal["info", "good", "notice", "warning", "error", "printed"]
Line = tuple[float, Level, str]  # Unix seconds, how loud, what


def line(event: e.Event) -> Line | None:
    """Return the event as a line of the log, or None for what is shown elsewhere all the time."""
    words = _words(event)
    return None if words is None else (event.at, *words)


def _words(event: e.Event) -> tuple[Level, str] | None:
    at_step = "" if event.step is None else f" at step {count(event.step)}"
    match event:
        case e.RunStarted():
            if event.resumed_from is None:
                return (
                    "notice",
                    f"training of {event.task.rpartition('/')[2] or 'a task'} started on {event.device or 'a device'}",
                )
            return "notice", f"resumed from step {count(event.resumed_from)} on {event.device or 'a device'}"
        case e.Evaluated():
            asked = " (asked)" if event.cause == "command" else ""
            return "info", f"{event.split} {metrics(event.metrics)}{at_step}{asked}"
        case e.EarlyStopping():
            return "good" if event.waited == 0 else "info", f"{event.monitor} {outcome(event)}{at_step}"
        case e.LearningRate():
            asked = " (asked)" if event.cause == "command" else ""
            return "info", f"learning rate {plains(event.lr)}{at_step}{asked}"
        case e.CheckpointSaved():
            name = event.path.rpartition("/")[2] or event.kind
            # Files count folds from 0, the screen from 1.
            fold = f" of fold {event.fold + 1}" if event.fold is not None and name.startswith("fold-") else ""
            details = f"{size(event.bytes)} in {duration_of_save(event.seconds)}, {event.cause}"
            return "good", f"saved {name}{fold}{at_step} ({details})"
        case e.Paused():
            return "notice", f"paused{at_step}"
        case e.Resumed():
            return "notice", f"goes on{at_step}"
        case e.CommandAnswered():
            if event.status == "failed":
                return "error", f"{command(event)} failed: {event.message or 'no reason was given'}"
            # The others are said by the events that they bring about.
            return ("notice", event.message) if event.command == "stop" else None
        case e.Warned():
            return "warning", f"{event.message or event.kind}{at_step}"
        case e.RunFinished():
            return _ending(event, at_step)
    return None


def command(event: e.CommandAnswered) -> str:
    """Return what was asked, as a person says it."""
    return event.command.replace("_", " ")


def outcome(event: e.EarlyStopping) -> str:
    """Say what an evaluation meant for early stopping."""
    if event.waited == 0:
        return "best so far"
    return f"waited {event.waited}" + ("" if event.patience is None else f" of {event.patience}")


def _ending(event: e.RunFinished, at_step: str) -> tuple[Level, str]:
    if event.cause == "failed":
        return "error", f"failed{at_step}: {event.message or 'no reason was given'}"
    names = {"completed": "completed", "early_stopping": "stopped early", "stopped": "stopped on request"}
    # Of which data, the line of the last evaluation says: the test's, or what was held out of it.
    result = f"   {metrics(event.test)}" if event.test else ""
    ending = names.get(event.cause, event.cause)
    note = f"   {event.message}" if event.message not in ("", ending) else ""
    return "good", f"{ending}{at_step}{result}{note}"


def duration_of_save(seconds: float) -> str:
    """Return the seconds of something short: 12 ms, 3.4 s, 2:05."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)
