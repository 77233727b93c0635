"""Everything the loop says, a sentence each. The same classes are written to `events.jsonl` and read from it.

A line is one JSON object whose `event` names the class. Unknown events and fields are skipped, missing fields take
their defaults, and a number that is not finite is the string "NaN", "Infinity" or "-Infinity", so that every line is
valid JSON.
"""

from __future__ import annotations

import math
import time
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Base of all events; `at` is in Unix seconds; `step`, `epoch` and `fold` only where it belongs to them."""

    at: float = msgspec.field(default_factory=time.time)
    step: int | None = None
    epoch: int | None = None
    fold: int | None = None


class RunStarted(Event, tag="run_started", frozen=True, kw_only=True):
    """An engine began to train; `resumed_from` is the step it goes on from, None for a new run."""

    run: str = ""
    task: str = ""
    device: str = ""
    parameters: int = 0
    epochs: int = 0
    steps_per_epoch: int | None = None
    resumed_from: int | None = None
    pid: int = 0
    host: str = ""
    folds: int = 1


class Steps(Event, tag="steps", frozen=True, kw_only=True):
    """Optimiser steps `first` to `step` were taken; `losses` has one each, `lr` one each parameter group."""

    first: int = 0
    losses: list[float] = []
    lr: list[float] = []
    samples_per_second: float = 0.0


class Evaluating(Event, tag="evaluating", frozen=True, kw_only=True):
    """An evaluation began; `batches` is its length where that is known."""

    split: str = "test"
    batches: int | None = None
    cause: str = "schedule"


class Evaluated(Event, tag="evaluated", frozen=True, kw_only=True):
    """The model was evaluated on `split`; `metrics` has the loss and every metric of the task."""

    split: str = "test"
    metrics: dict[str, float] = {}
    cause: str = "schedule"


class EarlyStopping(Event, tag="early_stopping", frozen=True, kw_only=True):
    """The early-stop counter after an evaluation: `waited` evaluations without a better `best`."""

    monitor: str = "loss"
    best: float = math.nan
    best_step: int = 0
    waited: int = 0
    patience: int | None = None


class LearningRate(Event, tag="learning_rate", frozen=True, kw_only=True):
    """The learning rate changed, by its schedule or by a command; one each parameter group."""

    lr: list[float] = []
    cause: str = "schedule"


class CheckpointSaved(Event, tag="checkpoint_saved", frozen=True, kw_only=True):
    """A checkpoint is safe on disk."""

    path: str = ""
    kind: str = "latest"
    bytes: int = 0
    seconds: float = 0.0
    cause: str = "schedule"


class Paused(Event, tag="paused", frozen=True, kw_only=True):
    """The loop waits between two batches."""

    cause: str = "command"


class Resumed(Event, tag="resumed", frozen=True, kw_only=True):
    """The loop goes on after a pause."""

    cause: str = "command"


class CommandAnswered(Event, tag="command", frozen=True, kw_only=True):
    """What really happened to a command."""

    id: str = ""
    command: str = ""
    status: str = "done"
    message: str = ""


class Warned(Event, tag="warning", frozen=True, kw_only=True):
    """Something a person should look at; the training goes on."""

    kind: str = ""
    message: str = ""


class RunFinished(Event, tag="run_finished", frozen=True, kw_only=True):
    """The engine is done; `cause` is completed, early_stopping, stopped or failed."""

    cause: str = "completed"
    best: float | None = None
    test: dict[str, float] = {}
    message: str = ""


AnyEvent = (
    RunStarted
    | Steps
    | Evaluating
    | Evaluated
    | EarlyStopping
    | LearningRate
    | CheckpointSaved
    | Paused
    | Resumed
    | CommandAnswered
    | Warned
    | RunFinished
)

# Lax, because that is what reads "NaN" and "Infinity" as numbers.
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent, strict=False)


def encode(event: Event) -> bytes:
    """Return the event as one line of JSON, newline included."""
    fields: dict[str, Any] = msgspec.to_builtins(event)
    for name in ("step", "epoch", "fold"):
        if fields[name] is None:
            del fields[name]
    return encode_line(fields)


def decode(line: bytes) -> Event | None:
    """Return the event on `line`, or None for a line this version does not know or cannot read."""
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def encode_line(value: object) -> bytes:
    """Return plain data as one line of JSON; numbers that are not finite become strings."""
    return msgspec.json.encode(_finite(value)) + b"\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        # Whole lists of losses pass here several times a second: look before copying.
        if all(isinstance(item, float) and math.isfinite(item) for item in value):
            return value
        return [_finite(item) for item in value]
    return value
