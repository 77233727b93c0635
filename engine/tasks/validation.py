"""Check a Task before the run starts, and the losses that its functions return."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ..data.factory import in_memory
from ..data.splits import indexable
from ..errors import TaskError, TrainingError
from .own_state import KINDS, can_be_saved
from .task import Task


def validate_task(task: Task) -> None:
    """Refuse a task that cannot be trained or evaluated. Raises TaskError, whose message says what to write instead."""
    if not isinstance(task.model, nn.Module):
        raise TaskError(f"the task's model is {_kind(task.model)}, not a torch.nn.Module")
    if lazy := [name for name, tensor in task.model.named_parameters() if is_lazy(tensor)]:
        raise TaskError(
            f"the task's model has parameters without a shape ({', '.join(lazy[:2])}): call the model once with a batch of inputs"
            " before the task is returned, or use layers with all sizes given"
        )
    _validate_state(task.state)
    if task.train is None:
        raise TaskError("the task's train is None: give Task(train=…)")
    if task.loss is None and task.step is None:
        raise TaskError("the task has neither loss nor step: give Task(loss=nn.CrossEntropyLoss()), or another loss")
    if task.loss is None and task.evaluate is None:
        raise TaskError("the task has a step but neither loss nor evaluate: give Task(evaluate=…) to measure it by")
    for name in ("loss", "step", "evaluate", "prepare", "augment", "collate", "optimizer"):
        value = getattr(task, name)
        if value is not None and not callable(value):
            raise TaskError(f"the task's {name} is {_kind(value)}, which cannot be called")
    for name, own in (("train", task.step), ("test", task.evaluate), ("val", task.evaluate)):
        data = getattr(task, name)
        if data is not None:
            # The task's own step, prepare or collate may turn other tensors into inputs and targets.
            _validate_data(name, data, pairs=own is None and task.prepare is None and task.collate is None)


def validate_loss(loss: Any, source: str) -> None:
    """Check that `loss` is a tensor of one number; `source` names the function that returned it. Raises TrainingError."""
    if isinstance(loss, Tensor) and loss.numel() == 1:
        return
    found = f"tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
    raise TrainingError(f"the task's {source} must return the loss as a tensor of one number, not a {found}")


def _validate_data(name: str, data: Any, *, pairs: bool) -> None:
    """Check one part of the data; with `pairs` it must be (inputs, targets). Raises TaskError."""
    if isinstance(data, tuple) and any(isinstance(part, np.ndarray) for part in data):
        raise TaskError(f"the task's {name} holds a numpy array: make a tensor of it with torch.from_numpy")
    tensors = in_memory(data)
    if tensors is None:
        if indexable(data) and _rows(data) == 0:
            raise TaskError(f"the task's {name} has no rows")
        return
    kinds = ("inputs", "targets") if len(tensors) == 2 else tuple(f"tensor {i}" for i in range(1, len(tensors) + 1))
    for kind, tensor in zip(kinds, tensors, strict=True):
        if not tensor.dim():
            raise TaskError(f"the task's {name}: {kind} are a single number, not one for each row")
    rows = [len(tensor) for tensor in tensors]
    if len(set(rows)) > 1:
        counts = f"{', '.join(map(str, rows[:-1]))} and {rows[-1]}"
        found = f"its tensors have {counts} rows" if len(rows) > 2 else f"inputs have {rows[0]} rows, targets {rows[1]}"
        raise TaskError(f"the task's {name}: {found}")
    if not any(rows):
        raise TaskError(f"the task's {name} has no rows")
    if pairs and len(tensors) != 2:
        count = "1 tensor" if len(tensors) == 1 else f"{len(tensors)} tensors"
        own = "step" if name == "train" else "evaluate"
        raise TaskError(f"the task's {name} has {count}, not two, (inputs, targets): give Task({own}=…) to use them")


def _validate_state(state: Any) -> None:
    """Check the task's own objects. Raises TaskError."""
    if not isinstance(state, Mapping):
        raise TaskError(f"the task's state is {_kind(state)}, not a dict: write Task(state={{'ema': ema}})")
    for name, value in state.items():
        if not isinstance(name, str) or not can_be_saved(value):
            raise TaskError(f"the task's state {name!r} is {_kind(value)}, which cannot be saved: give {KINDS}")


def _rows(data: Any) -> int | None:
    try:
        return len(data)
    except (TypeError, NotImplementedError):
        return None


def _kind(value: Any) -> str:
    if inspect.isclass(value):
        return f"the class {value.__name__} (make one: {value.__name__}(…))"
    return f"a {type(value).__name__}"
