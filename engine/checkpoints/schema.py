"""The plain part of a checkpoint: its fields and their types, checked when a file is read.

A file whose bytes are right may still hold a step of -5 or settings that are a list. It is damaged all the same, and an
older checkpoint is used in its place.

The keys that are written stand in `TrainingState.state_dict` (`training/state.py`), with those of `training/task_parts.py`;
for a loop of the user's own in `LoopState.state_dict` (`loop/state.py`). The fields below are those that a reader checks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from torch import Tensor

from ..runs.events import Count

FORMAT = 1
MAX_EXPANSION = 16  # times the file's size, above ROOM, that its tensors may take: buffers may be expanded ones
ROOM = 1 << 30  # bytes that the tensors of any file may take

Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
Scalar = str | int | float | bool | None


class SavedProgress(msgspec.Struct):
    """The counts of `engine.training.progress.Progress`."""

    step: Count
    epoch: Count = 0
    batch: Count = 0
    samples: Count = 0
    seconds: Seconds = 0.0
    evaluated: Count = 0
    fold: Count = 0


class SavedEarlyStopping(msgspec.Struct):
    """The counter of `engine.evaluation.early_stopping.EarlyStopping`."""

    monitor: str
    best: float
    best_step: Count
    waited: Count


class SavedOverfitting(msgspec.Struct):
    """The counter of `engine.evaluation.overfitting.Overfitting`."""

    evaluated: float = math.nan
    trained: float = math.nan
    rises: Count = 0


class SavedLosses(msgspec.Struct):
    """Sum and number of the losses since the last evaluation."""

    sum: float = 0.0
    count: Count = 0


class SavedWindow(msgspec.Struct):
    """The losses and samples of an accumulation window."""

    losses: list[float]
    samples: Count


class SavedOptimizer(msgspec.Struct):
    """The state of an optimizer, as torch saves it; its tensors are checked where it is loaded."""

    state: dict[Any, Any] = {}
    param_groups: list[dict[str, Any]] = []


class SavedState(msgspec.Struct):
    """The fields of a checkpoint whose types are checked. Other fields are passed on as they are."""

    format: Count
    model: dict[str, Any]
    optimizer: SavedOptimizer
    progress: SavedProgress
    settings: dict[str, Scalar]
    early_stopping: SavedEarlyStopping
    scheduler: dict[str, Any] | None = None
    scaler: dict[str, Any] | None = None
    overfitting: SavedOverfitting = msgspec.field(default_factory=SavedOverfitting)
    metrics: dict[str, float] = {}
    train_loss: SavedLosses = msgspec.field(default_factory=SavedLosses)
    environment: dict[str, Scalar | list[Scalar]] = {}
    folds: list[dict[str, float]] = []
    gradients: dict[str, Any] = {}
    window: SavedWindow | None = None


OPTIONAL = ("scheduler", "scaler", "overfitting", "metrics", "train_loss", "environment", "folds")
"""Fields that get their default if a checkpoint of another program lacks them."""


def complete(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state with its optional fields. Raises ValueError, which names the field with a wrong value."""
    names = [name for name in SavedState.__struct_fields__ if name in state]
    if tensors := [name for name in names if isinstance(state[name], Tensor)]:
        raise ValueError(f"{tensors[0]} is a tensor")
    try:
        checked = msgspec.convert({name: state[name] for name in names}, SavedState)
    except Exception as error:  # msgspec calls methods of what it finds, and a tensor has others than a dict
        raise ValueError(str(error).replace("$.", "").replace("`", "")) from error
    missing = [name for name in OPTIONAL if name not in state]
    return {**state, **{name: msgspec.to_builtins(getattr(checked, name)) for name in missing}}


def check_tensors(state: dict[str, Any], size: int) -> None:
    """Refuse tensors that a file of `size` bytes cannot hold: without data, or far larger than it. Raises ValueError."""
    total = 0
    for tensor in _tensors(state):
        if tensor.is_meta:
            raise ValueError("it has a tensor without data")
        total += tensor.numel() * tensor.element_size()
    if total > ROOM + MAX_EXPANSION * size:
        raise ValueError(f"its tensors would take {total:,} bytes, the file has {size:,}")


def _tensors(state: Any) -> Iterator[Tensor]:
    """Yield each tensor once, however often lists and dicts refer to each other."""
    seen: set[int] = set()
    waiting = [state]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list | tuple | set):
            waiting += value
