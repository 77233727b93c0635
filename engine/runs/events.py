"""Everything the training loop reports, one class for each kind of event.

The same classes are written to `events.jsonl` and read from it. A line is one JSON object whose `event` names the
class. Unknown events and fields are skipped, and missing fields take their defaults. A number that is not finite is the
string "NaN", "Infinity" or "-Infinity", so that every line is valid JSON.
"""

from __future__ import annotations

import math
import time
from typing import Annotated, Any

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A number of something. A line with another number is no event: 2**53 steps take 280 years at a million a second."""
Time = Annotated[float, msgspec.Meta(ge=0, le=1e11)]
"""Unix seconds, until the year 5138."""


def _steady() -> float:
    """Return seconds that never jump, also across a suspension of the machine where the system counts it."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


_start = time.time() - _steady()


def now() -> float:
    """Return the time in Unix seconds, by the clock of this process's start: a clock that is set does not change it."""
    return _start + _steady()


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Base of all events."""

    at: Time = msgspec.field(default_factory=now)
    """When it happened, in Unix seconds."""
    step: Count | None = None
    """Optimizer steps taken so far in this fold; left out if the event belongs to no step."""
    epoch: Count | None = None
    """Number of the epoch, counted from 1 (0 before the first step); left out if the event belongs to no epoch."""
    fold: Count | None = None
    """Number of the fold, counted from 0; left out if the run has no folds."""


class RunStarted(Event, tag="run_started", frozen=True, kw_only=True):
    """An engine has started to train the run, or the next fold of it."""

    run: str = ""
    """The run's name."""
    task: str = ""
    """The task as on the command line."""
    device: str = ""
    """The device in words: `cpu (2 threads)`, `cuda:0 (NVIDIA H100)`."""
    gpu: str = ""
    """UUID of the GPU, by which NVIDIA's tools name it; empty for another device, and in runs of older versions."""
    parameters: Count = 0
    """Number of the model's parameters, frozen ones included."""
    epochs: Count = 0
    """The setting `epochs`."""
    steps_per_epoch: Count | None = None
    """Optimizer steps in an epoch; None if the data has no length."""
    resumed_from: Count | None = None
    """The step from which it continues; None for a new run. Events of earlier engines after this step are void."""
    pid: Count = 0
    """The engine's process id."""
    host: str = ""
    """The engine's machine."""
    folds: Count = 1
    """Number of models that the split trains."""
    metrics: dict[str, str] = {}
    """For each metric of the task `higher` or `lower`, whichever is better; empty in runs of older versions."""
    scheduler_unit: str = ""
    """When the learning-rate scheduler steps: `none`, `step`, `epoch` or `evaluation`; empty in older versions."""


class Steps(Event, tag="steps", frozen=True, kw_only=True):
    """The optimizer steps `first` to `step` were taken; there are about five such events a second."""

    first: Count = 0
    """Number of the first step, counted from 1."""
    losses: list[float] = []
    """The training loss of each step, `first` to `step`: the mean over its batches."""
    lr: list[float] = []
    """The learning rate of each parameter group after the last step."""
    samples_per_second: float = 0.0
    """Training throughput since the previous `steps` event, without pauses and evaluations."""
    scalars: dict[str, list[float | None]] = {}
    """More values of each step by name, None at a step without one; only a loop of the user's own logs them."""
    data_wait: float | None = None
    """Share, 0 to 1, of the time since the previous `steps` event spent waiting for data; None if not measured."""


class Logged(Event, tag="logged", frozen=True, kw_only=True):
    """The user's code recorded numbers, or a text, that belong to no single step's loss."""

    values: dict[str, float] = {}
    """Numbers by name."""
    title: str = ""
    """Title of the text."""
    text: str = ""
    """The text, such as a generated sample."""


class Evaluating(Event, tag="evaluating", frozen=True, kw_only=True):
    """An evaluation has begun."""

    split: str = "test"
    """The data that is evaluated: `test` or `val`."""
    batches: Count | None = None
    """Number of batches to evaluate; None if the data has no length."""
    cause: str = "schedule"
    """`schedule` or `command`."""


class Evaluated(Event, tag="evaluated", frozen=True, kw_only=True):
    """The model was evaluated."""

    split: str = "test"
    """The data that was evaluated: `test` or `val`."""
    metrics: dict[str, float] = {}
    """The mean `loss` over the samples, and every metric of the task, by name."""
    cause: str = "schedule"
    """`schedule` or `command`; only those on schedule count for early stopping."""


class EarlyStopping(Event, tag="early_stopping", frozen=True, kw_only=True):
    """The counter of early stopping after an evaluation on schedule."""

    monitor: str = "loss"
    """The monitored metric."""
    best: float = math.nan
    """Its best value so far; NaN before the first finite one."""
    best_step: Count = 0
    """The step at which the best value was measured."""
    waited: Count = 0
    """Evaluations without improvement since `best_step`."""
    patience: Count | None = None
    """Evaluations without improvement after which the run stops; None if it never does."""


class LearningRate(Event, tag="learning_rate", frozen=True, kw_only=True):
    """The learning rate changed. Schedulers that step with each optimizer step emit no such events."""

    lr: list[float] = []
    """The new learning rate of each parameter group."""
    cause: str = "schedule"
    """`schedule` or `command`."""


class CheckpointSaved(Event, tag="checkpoint_saved", frozen=True, kw_only=True):
    """A checkpoint is complete and durable on the disk."""

    path: str = ""
    """Its path inside the run folder."""
    kind: str = "latest"
    """`latest`, `best`, or `kept` for a numbered one."""
    bytes: Count = 0
    """Size of the file in bytes."""
    seconds: float = 0.0
    """Time that the writer thread took, in seconds; the training waited only for the copy to memory."""
    cause: str = "schedule"
    """`schedule`, `command`, `best`, `signal` or `end`."""


class Paused(Event, tag="paused", frozen=True, kw_only=True):
    """The loop waits between two batches."""

    cause: str = "command"
    """`command`, or `nan` for a loss that is not finite."""


class Resumed(Event, tag="resumed", frozen=True, kw_only=True):
    """The loop continues after a pause."""

    cause: str = "command"
    """Always `command`."""


class CommandAnswered(Event, tag="command", frozen=True, kw_only=True):
    """The result of a command."""

    id: str = ""
    """The command's id."""
    command: str = ""
    """The command's name."""
    status: str = "done"
    """`done` or `failed`."""
    message: str = ""
    """The effect of the command, or the reason why it failed."""


class Warned(Event, tag="warning", frozen=True, kw_only=True):
    """A warning for the user; the training continues."""

    kind: str = ""
    """`save_failed`, `history_failed`, `nan`, `inexact`, `evaluation`, `overfitting`, `checkpoint`, `task_changed`, `note`
    or `download`."""
    message: str = ""
    """The warning in words."""


class RunFinished(Event, tag="run_finished", frozen=True, kw_only=True):
    """The engine has ended and has released the run."""

    cause: str = "completed"
    """`completed`, `early_stopping`, `stopped` or `failed`."""
    best: float | None = None
    """The best value of the monitored metric; None if there is none."""
    test: dict[str, float] = {}
    """The last metrics, measured on the test data if there is any; of several folds the means and `_std`."""
    message: str = ""
    """Why it ended, in words; empty for the usual end."""


AnyEvent = (
    RunStarted
    | Steps
    | Logged
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

# Not strict, because only then msgspec reads "NaN" and "Infinity" as numbers.
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent, strict=False)


def ignore_event(event: Event) -> None:
    """Ignore an event: a listener for callers that read events.jsonl instead."""
    del event


def encode(event: Event) -> bytes:
    """Return the event as one line of JSON with its newline."""
    fields: dict[str, Any] = msgspec.to_builtins(event)
    for name in ("step", "epoch", "fold"):
        if fields[name] is None:
            del fields[name]
    return encode_line(fields)


def decode(line: bytes) -> Event | None:
    """Return the event on `line`; None if this version does not know or cannot read it."""
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def encode_line(value: object) -> bytes:
    """Return plain data as one line of JSON with its newline; numbers that are not finite become strings."""
    return msgspec.json.encode(_finite(value)) + b"\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        # Lists of losses come here several times a second: copy only if needed.
        if all(isinstance(item, float) and math.isfinite(item) for item in value):
            return value
        return [_finite(item) for item in value]
    return value
