"""What a task keeps outside a checkpoint: every value that its functions and data hold, before and after a training."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader

from ..data.rereading import digest
from ..tasks.task import Task
from ..training.trainer import Trainer

DEPTH = 6  # levels of attributes and entries that are looked at
MAX_NODES = 20_000  # values that are looked at
MAX_ENTRIES = 2000  # of a container, of which the rest is left out
FUNCTIONS = ("step", "evaluate", "loss", "augment", "optimizer", "collate", "prepare")
PLAIN = (int, float, str, bytes, bool)
SKIPPED = ("training", "_parameters", "_buffers", "_modules", "_non_persistent_buffers_set")
"""Attributes of a module that a checkpoint has, or that hold nothing of its own."""
ADVICE = {
    "data": "give the data set `state_dict` and `load_state_dict`",
    "module": "register it as a buffer",
    "optimizer": "return it from the optimizer's `state_dict`",
    "function": "keep it in Task(state={{{name!r}: …}})",
}


class OwnState:
    """The values that a checkpoint does not have, each with a mark that changes when it changes."""

    def __init__(self, trainer: Trainer) -> None:
        """Note them as they are now."""
        self._trainer = trainer
        self._before = self._marks()

    def changed(self) -> list[str]:
        """Return a sentence for each value that has changed, which says how to keep it."""
        after = self._marks()
        names = [key for key, mark in after.items() if key in self._before and self._before[key] != mark]
        names += [key for key in after if key not in self._before]
        kept: dict[tuple[str, str, str], None] = {}
        for kind, owner, name in names:
            kept[kind, owner, name.partition(".")[0].partition("[")[0]] = None
        return [
            f"`{name}` of {owner} changes while it trains and is not in the checkpoint: "
            + ADVICE[kind].format(name=name)
            for kind, owner, name in kept
        ]

    def _marks(self) -> dict[tuple[str, str, str], Any]:
        task, state = self._trainer.task, self._trainer.state
        seen = set(map(id, _saved(self._trainer)))
        found: dict[tuple[str, str, str], Any] = {}
        for kind, owner, root in _roots(task, state.optimizer):
            for name, value in _walk(root, "", DEPTH, seen):
                if len(found) >= MAX_NODES:
                    return found
                found[kind, owner, name] = _mark(value)
        for label, module in (("the model", task.model), ("the loss", task.loss)):
            for prefix, part in module.named_modules() if isinstance(module, nn.Module) else ():
                for key, value in vars(part).items():
                    if key not in SKIPPED and not key.startswith("_") and isinstance(value, (Tensor, *PLAIN)):
                        found["module", f"{label}'s `{prefix or type(part).__name__}`", key] = _mark(value)
        return found


def _roots(task: Task, optimizer: Optimizer) -> Iterator[tuple[str, str, Any]]:
    """Yield (kind, owner in words, what it holds) of the data, the functions and an own optimizer."""
    for part in ("train", "val", "test"):
        data = getattr(task, part)
        if isinstance(data, DataLoader):
            yield "data", f"the sampler of `{part}`", _attributes(data.batch_sampler or data.sampler)
            data = data.dataset
        if data is not None and not (hasattr(data, "state_dict") and hasattr(data, "load_state_dict")):
            yield "data", f"the data set `{type(data).__name__}`", _attributes(data)
    for name in FUNCTIONS:
        function = getattr(task, name)
        if function is not None and not isinstance(function, nn.Module):
            yield "function", f"the task's `{name}`", _variables(function)
    if not type(optimizer).__module__.startswith("torch.optim."):
        torchs = vars(torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.1))
        own = {key: value for key, value in vars(optimizer).items() if key not in torchs}
        yield "optimizer", f"the optimizer `{type(optimizer).__name__}`", own


def _walk(value: Any, name: str, depth: int, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield the path and value of each leaf below `value`."""
    if isinstance(value, PLAIN) or value is None:
        yield name, value
        return
    if id(value) in seen or depth < 0 or isinstance(value, ModuleType | type | Optimizer):
        return
    seen.add(id(value))
    if _is_leaf(value):
        yield name, value
    elif isinstance(value, FunctionType):
        yield from _walk(_variables(value), name, depth - 1, seen)
    elif isinstance(value, nn.Module):
        yield from _walk(dict(value.state_dict(keep_vars=True)), name, depth - 1, seen)
    elif isinstance(value, dict):
        for key, item in list(value.items())[:MAX_ENTRIES]:
            yield from _walk(item, f"{name}.{key}".removeprefix("."), depth - 1, seen)
    elif isinstance(value, list | tuple):
        yield f"{name}[]", len(value)
        for number, item in enumerate(value[:MAX_ENTRIES]):
            yield from _walk(item, f"{name}[{number}]", depth - 1, seen)
    elif hasattr(value, "__dict__"):
        yield from _walk(_attributes(value), name, depth, seen)


def _is_leaf(value: Any) -> bool:
    generators = torch.Generator, np.random.Generator, np.random.RandomState, random.Random
    return isinstance(value, (Tensor, np.ndarray, LRScheduler, set, frozenset, *generators))


def _mark(value: Any) -> Any:
    """Return what differs once `value` has changed."""
    if isinstance(value, Tensor | np.ndarray):
        return digest(value)
    if isinstance(value, LRScheduler):
        return value.last_epoch
    if isinstance(value, torch.Generator):
        return zlib.crc32(value.get_state().numpy().tobytes())
    if isinstance(value, np.random.Generator):
        return zlib.crc32(repr(value.bit_generator.state).encode())
    if isinstance(value, np.random.RandomState | random.Random):
        state = value.get_state() if isinstance(value, np.random.RandomState) else value.getstate()
        return zlib.crc32(repr(state).encode())
    if isinstance(value, set | frozenset):
        return len(value)
    return repr(value) if isinstance(value, float) else value


def _attributes(value: Any) -> dict[str, Any]:
    return dict(getattr(value, "__dict__", {}))


def _variables(function: Any) -> dict[str, Any]:
    """Return what a function holds: its closure, the globals that it reads, the object that it belongs to."""
    found: dict[str, Any] = {}
    owner = getattr(function, "__self__", None if isinstance(function, FunctionType) else function)
    if owner is not None and not isinstance(owner, ModuleType | type | nn.Module):
        found.update(_attributes(owner))
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if code is None:
        return found
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    own = {name: function.__globals__[name] for name in code.co_names if name in function.__globals__}
    found.update({name: value for name, value in own.items() if not isinstance(value, ModuleType | type)})
    attributes = {f"{function.__name__}.{key}": value for key, value in vars(function).items() if key != "__wrapped__"}
    return {**found, **attributes}


def _saved(trainer: Trainer) -> Iterator[Any]:
    """Yield the objects that a checkpoint has."""
    task = trainer.task
    for owner in (task.model, task.loss, trainer.state.optimizer, *task.state.values()):
        yield owner
        if isinstance(owner, nn.Module):
            yield from owner.modules()
            yield from owner.parameters()
            yield from owner.buffers()
        elif isinstance(owner, dict):
            yield from owner.values()
