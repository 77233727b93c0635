"""The progress of a run as plain lines or JSON, for a file, a pipe or a batch job. No line has an escape code."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from stoker.engine.runs.events import (
    EarlyStopping,
    Evaluated,
    Event,
    Logged,
    Paused,
    RunFinished,
    RunStarted,
    Steps,
    Warned,
    encode,
)
from stoker.engine.text import escaped_json, printable

from ..formatting import plain
from ..state.event_text import sentence

PROGRESS_INTERVAL = 2.0  # seconds between two lines of progress


def numbers(values: dict[str, float]) -> str:
    """Return metrics as `accuracy 0.9667, loss 0.0537`, loss last. A mean over folds is followed by its deviation (± std)."""
    names = sorted((name for name in values if not name.endswith("_std")), key=lambda name: name == "loss")
    deviations = {name: f" ± {values[f'{name}_std']:.4f}" for name in names if f"{name}_std" in values}
    return ", ".join(f"{name} {values[name]:.4f}{deviations.get(name, '')}" for name in names)


class ProgressPrinter:
    """Prints the events of a run, with at most one line of progress every two seconds."""

    def __init__(
        self,
        write: Callable[[str], None],
        name: str,
        past: Sequence[Event] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Pass each line of the run called `name` to `write`; the `past` events are not printed again."""
        self._write, self._name, self._clock = write, name, clock
        self._split = _last_split(past)
        self._next = 0.0
        self._steps: int | None = None
        self._epochs = 0

    def emit(self, event: Event) -> None:
        """Print the line of `event`, if it has one."""
        line = self._line(event)
        if line is not None:
            fold = f"fold {event.fold + 1}: " if event.fold is not None else ""
            self._write(printable(fold + line))

    def _line(self, event: Event) -> str | None:
        match event:
            case RunStarted():
                self._epochs = event.epochs
                self._steps = event.steps_per_epoch and event.steps_per_epoch * event.epochs
                return self._start(event)
            case Steps():
                return self._progress(event)
            case Logged() if event.values:
                return self._logged(event.step, event.values)
            case EarlyStopping():
                return None
            case RunFinished():
                return self._end(event)
            case Evaluated():
                self._split = event.split
        text = sentence(event, metrics=numbers)
        if text is None:
            return None
        match event:
            case Warned():
                return f"warning ({event.kind}): {text}"
            case Evaluated():
                return f"step {event.step} (epoch {event.epoch}): {text}"
            case Paused():
                text += f"; continue with `stoker send {self._name} resume`"
        return f"step {event.step}: {text}"

    def _start(self, event: RunStarted) -> str:
        resumed = "" if event.resumed_from is None else f", resumed from step {event.resumed_from}"
        if not event.epochs:
            return f"run {event.run}: {event.task}{resumed}"
        parameters = f"{event.parameters:,} parameters"
        return f"run {event.run}: task {event.task}, {parameters}, {event.epochs} epochs on {event.device}{resumed}"

    def _logged(self, step: int | None, values: dict[str, float]) -> str | None:
        if self._clock() < self._next:
            return None
        self._next = self._clock() + PROGRESS_INTERVAL
        return f"step {step}: {numbers(values)}"

    def _progress(self, event: Steps) -> str | None:
        if not self._epochs and not event.losses:
            newest = {name: value for name, values in event.scalars.items() if (value := values[-1]) is not None}
            return self._logged(event.step, newest)
        if self._clock() < self._next:
            return None
        self._next = self._clock() + PROGRESS_INTERVAL
        of = f"/{self._steps}" if self._steps else ""
        loss = f"loss {event.losses[-1]:.4f}" if event.losses else ""
        lr = f"lr {plain(event.lr[0])}" if event.lr else ""
        position = f"step {event.step}{of} (epoch {event.epoch}/{self._epochs})"
        return f"{position}: {loss}, {lr}, {event.samples_per_second:.0f} samples/s"

    def _end(self, event: RunFinished) -> str:
        # The first word is the cause by its name in events.jsonl: scripts look for it.
        parts = [event.cause if event.step is None else f"{event.cause} at step {event.step} (epoch {event.epoch})"]
        if event.test and event.cause != "failed":
            # A fold that was interrupted may have been evaluated on other data than the earlier folds were tested on.
            interrupted = event.cause == "stopped" and any(name.endswith("_std") for name in event.test)
            split = "" if interrupted else self._split
            parts.append(f"{split} {numbers(event.test)}".lstrip())
        if event.best is not None:
            parts.append(f"best {event.best:.4f}")
        if event.message:
            parts.append(event.message)
        if event.cause == "stopped":
            parts.append(f"continue with `stoker resume {self._name}`")
        return "; ".join(parts)


def json_line(event: Event) -> str:
    """Return the event as its line in events.jsonl, without the newline; control characters are escaped."""
    return escaped_json(encode(event).decode().rstrip("\n"))


def _last_split(events: Sequence[Event]) -> str:
    """Return the data of the last evaluation, `val` or `test`; empty if there was no evaluation."""
    return next((event.split for event in reversed(events) if isinstance(event, Evaluated)), "")
