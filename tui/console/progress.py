"""A run as plain lines: for a file, a pipe or a batch job; never an escape code."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from stoker.engine.runs.events import (
    CheckpointSaved,
    CommandAnswered,
    Evaluated,
    Event,
    LearningRate,
    Paused,
    Resumed,
    RunFinished,
    RunStarted,
    Steps,
    Warned,
    encode,
)

from ..state.log_lines import command

APART = 2.0  # seconds between two lines of progress


def numbers(values: dict[str, float]) -> str:
    """Return metrics as `accuracy 0.9667, loss 0.0537`, the loss last; of several folds each with its deviation."""
    names = sorted((name for name in values if not name.endswith("_std")), key=lambda name: name == "loss")
    deviations = {name: f" ± {values[f'{name}_std']:.4f}" for name in names if f"{name}_std" in values}
    return ", ".join(f"{name} {values[name]:.4f}{deviations.get(name, '')}" for name in names)


def measured(events: Sequence[Event]) -> str:
    """Return which data the last evaluation was of; empty where there is none."""
    return next((event.split for event in reversed(events) if isinstance(event, Evaluated)), "")


class Lines:
    """Prints what a person wants to read of the events, at a pace that a log can bear."""

    def __init__(
        self,
        write: Callable[[str], None],
        name: str,
        past: Sequence[Event] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Give each line of the run called `name` to `write`; of the `past` none is said again."""
        self._write, self._name, self._clock = write, name, clock
        self._split = measured(past)
        self._next = 0.0
        self._steps: int | None = None
        self._epochs = 0

    def say(self, event: Event) -> None:
        """Print the line of `event`, if it has one."""
        line = self._line(event)
        if line is not None:
            fold = f"fold {event.fold + 1}: " if event.fold is not None else ""
            self._write(fold + line)

    def _line(self, event: Event) -> str | None:
        where = f"step {event.step}"
        match event:
            case RunStarted():
                self._epochs = event.epochs
                self._steps = event.steps_per_epoch and event.steps_per_epoch * event.epochs
                return self._started(event)
            case Steps():
                return self._progress(event)
            case Evaluated():
                self._split = event.split
                return f"{where} (epoch {event.epoch}): {event.split} {numbers(event.metrics)}"
            case LearningRate():
                return f"{where}: learning rate {', '.join(f'{lr:g}' for lr in event.lr)} ({event.cause})"
            case CheckpointSaved():
                return f"{where}: saved {event.path} ({event.bytes:,} bytes in {event.seconds:.2f} s, {event.cause})"
            case Paused():
                return f"{where}: paused ({event.cause}); `stoker send {self._name} resume` goes on"
            case Resumed():
                return f"{where}: goes on"
            case CommandAnswered():
                return f"{where}: {command(event)} {event.status}: {event.message}"
            case Warned():
                return f"warning ({event.kind}): {event.message}"
            case RunFinished():
                return self._finished(event)
        return None

    def _started(self, event: RunStarted) -> str:
        on = "" if event.resumed_from is None else f", goes on from step {event.resumed_from}"
        parameters = f"{event.parameters:,} parameters"
        return f"run {event.run}: task {event.task}, {parameters}, {event.epochs} epochs on {event.device}{on}"

    def _progress(self, event: Steps) -> str | None:
        if self._clock() < self._next:
            return None
        self._next = self._clock() + APART
        of = f"/{self._steps}" if self._steps else ""
        loss = f"loss {event.losses[-1]:.4f}" if event.losses else ""
        lr = f"lr {event.lr[0]:g}" if event.lr else ""
        place = f"step {event.step}{of} (epoch {event.epoch}/{self._epochs})"
        return f"{place}: {loss}, {lr}, {event.samples_per_second:.0f} samples/s"

    def _finished(self, event: RunFinished) -> str:
        parts = [event.cause if event.step is None else f"{event.cause} at step {event.step} (epoch {event.epoch})"]
        if event.test:
            # The folds before one that was cut may have been tested on other data than it was evaluated on.
            cut = event.cause == "stopped" and any(name.endswith("_std") for name in event.test)
            split = "" if cut else self._split
            parts.append(f"{split} {numbers(event.test)}".lstrip() if event.cause != "failed" else "")
        if event.best is not None:
            parts.append(f"best {event.best:.4f}")
        if event.message:
            parts.append(event.message)
        if event.cause == "stopped":
            parts.append(f"`stoker resume {self._name}` goes on from here")
        return "; ".join(filter(None, parts))


def json_line(event: Event) -> str:
    """Return the event as it stands in events.jsonl."""
    return encode(event).decode().rstrip("\n")
