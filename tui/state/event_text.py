"""One sentence for each event, for the log on the screen and for `--headless`.

The messages of warnings, of answers to commands and of a run's end are worded by the engine, in the event itself.
`tui/console/progress.py` adds the lines of the start, the progress and the end.
"""

from __future__ import annotations

from collections.abc import Callable

from stoker.engine.runs import events as e

from ..formatting import count, metrics, plains, short_duration, size

FormatMetrics = Callable[[dict[str, float]], str]
ALERTS = {"completed": "completed", "early_stopping": "stopped early", "failed": "failed", "nan": "NaN"}
ENDINGS = {"completed": "completed", "early_stopping": "stopped early", "stopped": "stopped on request"}


def sentence(event: e.Event, position: str = "", metrics: FormatMetrics = metrics) -> str | None:
    """Return the sentence of `event`, or None if it has none.

    `position` is inserted where the step belongs (" at step 1,200"), and `metrics` formats metric values.
    """
    match event:
        case e.RunStarted():
            return _start(event)
        case e.Evaluated():
            return f"{event.split} {metrics(event.metrics)}{position}{_manual(event.cause)}"
        case e.EarlyStopping():
            return f"{event.monitor} {outcome(event)}{position}"
        case e.Logged() if event.text:
            return f"{event.title}{position}: {event.text}"
        case e.LearningRate():
            return f"learning rate {plains(event.lr)}{position}{_manual(event.cause)}"
        case e.CheckpointSaved():
            return _saved(event, position)
        case e.Paused():
            return f"paused{position}{_manual(event.cause) or f' ({event.cause})'}"
        case e.Resumed():
            return f"resumed{position}"
        case e.CommandAnswered():
            reason = event.message or ("no reason was given" if event.status == "failed" else "")
            return f"{event.command.replace('_', ' ')} {event.status}: {reason}"
        case e.Warned():
            return f"{event.message or event.kind}{position}"
        case e.RunFinished():
            return _end(event, position, metrics)
    return None


def outcome(event: e.EarlyStopping) -> str:
    """Return the outcome of an evaluation for early stopping: a new best, or the number of evaluations since the best."""
    if event.waited == 0:
        return "best so far"
    of = event.waited if event.patience is None else event.patience
    out_of = "" if event.patience is None else f" of {event.patience}"
    return f"no improvement for {event.waited}{out_of} evaluation{'' if of == 1 else 's'}"


def alert_text(event: e.Event) -> str | None:
    """Return the text of a terminal alert, or None if `event` needs none, such as an effect of the user's own command."""
    match event:
        case e.Warned(kind="alert"):
            return event.message
        case e.RunFinished(cause=cause) | e.Warned(kind=cause):
            return ALERTS.get(cause)
    return None


def _manual(cause: str) -> str:
    return " (manual)" if cause == "command" else ""


def _start(event: e.RunStarted) -> str:
    device = event.device or "a device"
    if event.resumed_from is not None:
        return f"resumed from step {count(event.resumed_from)} on {device}"
    return f"training of {event.task.rpartition('/')[2] or 'a task'} started on {device}"


def _saved(event: e.CheckpointSaved, position: str) -> str:
    name = event.path.rpartition("/")[2] or event.kind
    # File names count folds from 0, text counts them from 1.
    fold = f" of fold {event.fold + 1}" if event.fold is not None and name.startswith("fold-") else ""
    cause = "manual" if event.cause == "command" else event.cause
    return f"saved {name}{fold}{position} ({size(event.bytes)} in {short_duration(event.seconds)}, {cause})"


def _end(event: e.RunFinished, position: str, metrics: FormatMetrics) -> str:
    if event.cause == "failed":
        return f"failed{position}: {event.message or 'no reason was given'}"
    ending = ENDINGS.get(event.cause, event.cause)
    # The line of the last evaluation shows whether the result is of the test or of the validation data.
    result = f"   {metrics(event.test)}" if event.test else ""
    note = f"   {event.message}" if event.message not in ("", ending) else ""
    return f"{ending}{position}{result}{note}"
