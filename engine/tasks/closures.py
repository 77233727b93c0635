"""Objects that a task's functions or its optimizer hold and that no checkpoint has: found by looking for a change."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from ..data.inspection import DRAWS
from ..data.stateful import unwrapped
from .task import Task

FUNCTIONS = ("step", "evaluate", "loss", "augment", "optimizer", "collate")
WATCHED = (
    Tensor,
    nn.Module,
    LRScheduler,
    torch.Generator,
    np.random.Generator,
    np.random.RandomState,
    random.Random,
)
NUMBERS = (int, float)
MAX_ENTRIES = 1000  # of a list or dict that are looked at
CHANGES = (
    "`{name}`, which the task's `{function}` holds, changes while it trains and is not in the checkpoint: a resumed run"
    ' starts with a new one. Keep it in Task(state={{"{name}": {name}}}).'
)
NUMBER_CHANGES = (
    "`{name}`, a number which the task's `{function}` holds, changes while it trains and is not in the checkpoint. If the"
    ' training depends on it, keep it in a dict: Task(state={{"counts": counts}}).'
)
NEW_ENTRIES = (
    "`{name}`, which the task's `{function}` holds, gets new entries while it trains and is not in the checkpoint. If the"
    ' training depends on it, keep it in Task(state={{"{name}": {name}}}).'
)
DATA_CHANGES = (
    "`{name}` of the data set `{function}` changes while it is read and is not in the checkpoint. If the items depend on"
    " it, give the data set `state_dict` and `load_state_dict`."
)
OPTIMIZER_CHANGES = (
    "`{name}` of the optimizer `{function}` changes while it trains and is not in the checkpoint: a resumed run starts"
    " with a new one. Keep it in the optimizer's `state`, or return it from its `state_dict`."
)
OWNED_BY_TORCH = frozenset(vars(torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.1))) | {"step", "_opt_called"}
"""Attributes that torch's optimizers and schedulers set."""


class HeldObjects:
    """The tensors, modules, schedulers and generators that a task's functions hold, and an own optimizer's attributes."""

    def __init__(self, task: Task, optimizer: Optimizer, batches: Any = None) -> None:
        """Note each of them as it is now, except what a checkpoint has; `batches` tell what workers change."""
        self._workers: list[tuple[Any, Callable[[], tuple[bool, list[str]]]]] = []
        self.watch_workers(task.train, batches)
        self._saved = {
            id(part) for part in _parts(task.model, task.loss, *task.state.values(), torch.default_generator)
        }
        # Each with its value, which stays alive, so that no other gets its id.
        self._held = [
            (
                NUMBER_CHANGES if type(value) in NUMBERS else CHANGES,
                function,
                name,
                holder,
                key,
                value,
                self._mark(value),
            )
            for function in FUNCTIONS
            for name, holder, key, value in self._held_by(getattr(task, function), set())
        ]

        self._watch_data(task.train)
        self._watch_optimizer(optimizer)

    def _watch_data(self, data: Any) -> None:
        """Watch the attributes of a data set that has no state of its own."""
        data = unwrapped(data)
        if hasattr(data, "state_dict") or isinstance(data, tuple):
            return
        self._held += [
            (DATA_CHANGES, type(data).__name__, name, vars(data), name, value, self._mark(value))
            for name, value in getattr(data, "__dict__", {}).items()
            if isinstance(value, WATCHED) or type(value) in NUMBERS
        ]

    def _watch_optimizer(self, optimizer: Optimizer) -> None:
        """Watch the attributes of an optimizer that is not torch's own and has torch's `state_dict`."""
        kind = type(optimizer)
        if kind.__module__.startswith("torch.optim.") or kind.state_dict is not Optimizer.state_dict:
            return
        for name, value in vars(optimizer).items():
            if name in OWNED_BY_TORCH:
                continue
            entries = [(vars(optimizer), name, value), *((holder, key, item) for holder, key, item in _entries(value))]
            self._held += [
                (OPTIMIZER_CHANGES, kind.__name__, name, holder, key, item, self._mark(item))
                for holder, key, item in entries
                if (isinstance(item, WATCHED) or type(item) in NUMBERS) and id(item) not in self._saved
            ]

    def watch_workers(self, data: Any, batches: Any) -> None:
        """Ask also the workers that read `data` as `batches`."""
        self._workers.append((data, getattr(batches, "found_by_workers", _nothing)))

    def changed(self) -> list[str]:
        """Return a sentence for each that has changed, once. Cheap: it compares versions, not numbers."""
        found = {
            held[:3]
            for held in self._held
            if self._replaced(held[5], _read(held[3], held[4])) or self._mark(held[5]) != held[6]
        }
        if found:
            self._held = [held for held in self._held if held[:3] not in found]
        for data, ask in list(self._workers):
            draws, names = ask()
            if draws or names:
                kind = type(unwrapped(data)).__name__
                found.update((DATA_CHANGES, kind, name) for name in names)
                found.update([(DRAWS, kind, kind)] if draws else [])
                self._workers.remove((data, ask))
        return [text.format(name, function=function, name=name) for text, function, name in sorted(found)]

    def _held_by(self, function: Any, seen: set[int]) -> Iterator[tuple[str, Any, Any, Any]]:
        """Yield (name, holder, key in it, value) of each variable that a function holds, and one level below.

        Functions among them are looked into, too. A module is left to the checkpoint and to its own `forward`.
        """
        if id(function) in seen or isinstance(function, nn.Module):
            return
        seen.add(id(function))
        if isinstance(function, functools.partial):
            yield from self._held_by(function.func, seen)
            for number, value in enumerate(function.args):
                yield from self._variable(f"argument {number + 1}", [*function.args], number, value, seen)
            for name, value in function.keywords.items():
                yield from self._variable(name, function.keywords, name, value, seen)
            return
        owner = getattr(function, "__self__", None if isinstance(function, FunctionType) else function)
        if owner is not None and not isinstance(owner, ModuleType | type | nn.Module):
            for name, value in list(getattr(owner, "__dict__", {}).items()):
                yield from self._variable(name, owner.__dict__, name, value, seen)
        function = getattr(function, "__func__", function)
        code = getattr(function, "__code__", None)
        if code is None:
            return
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            yield from self._variable(name, cell, None, _read(cell, None), seen)
        for name in code.co_names:
            if name in function.__globals__:
                yield from self._variable(name, function.__globals__, name, function.__globals__[name], seen, function)

    def _variable(
        self, name: str, holder: Any, key: Any, value: Any, seen: set[int], function: Any = None
    ) -> Iterator[tuple[str, Any, Any, Any]]:
        """Yield a variable where it is watched, or what it holds; `function` reads it as a global of its file."""
        if id(value) in self._saved or isinstance(value, Optimizer | ModuleType | type):
            return
        if isinstance(value, FunctionType):
            if function is None or value.__module__ == function.__module__:
                yield from self._held_by(value, seen)
        elif value is None or isinstance(value, WATCHED) or type(value) in NUMBERS:
            yield name, holder, key, value
            return
        if isinstance(value, dict) and len(value) <= MAX_ENTRIES:
            yield name, (value,), 0, value
        for inner, place, item in _entries(value):
            if (isinstance(item, WATCHED) or type(item) in NUMBERS) and id(item) not in self._saved:
                yield name, inner, place, item

    def _replaced(self, before: Any, now: Any) -> bool:
        if type(before) in NUMBERS:
            return type(now) is not type(before) or now != before
        return now is not before and (before is not None or isinstance(now, WATCHED))

    def _mark(self, value: Any) -> Any:
        """Return what differs once `value` has changed."""
        if isinstance(value, nn.Module):
            tensors = (*value.parameters(), *value.buffers())
            return [(id(tensor), tensor._version) for tensor in tensors if id(tensor) not in self._saved]
        if isinstance(value, Tensor):
            return None if value.is_inference() else value._version
        if isinstance(value, LRScheduler):
            return value.last_epoch
        if isinstance(value, dict):
            return len(value) if len(value) > MAX_ENTRIES else sum(isinstance(i, WATCHED) for i in value.values())
        if isinstance(value, torch.Generator):
            return value.get_state().numpy().tobytes()
        if isinstance(value, np.random.Generator):
            return repr(value.bit_generator.state)
        if isinstance(value, np.random.RandomState):
            return repr(value.get_state())
        return value.getstate() if isinstance(value, random.Random) else None


def _nothing() -> tuple[bool, list[str]]:
    return False, []


def _text_for(value: Any) -> str:
    return NEW_ENTRIES if isinstance(value, dict) else NUMBER_CHANGES if type(value) in NUMBERS else CHANGES


def _entries(value: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Yield (holder, key in it, item) of what a dict, a list or an object holds."""
    inner = value if isinstance(value, dict | list) else getattr(value, "__dict__", {})
    if isinstance(inner, list):
        yield from ((inner, number, item) for number, item in enumerate(inner[:MAX_ENTRIES]))
    elif isinstance(inner, dict) and len(inner) <= MAX_ENTRIES:
        yield from ((inner, key, item) for key, item in list(inner.items()))


def _read(holder: Any, key: Any) -> Any:
    """Return what a cell holds now, or a dict or list under `key`."""
    if isinstance(holder, dict):
        return holder.get(key)
    if isinstance(holder, list | tuple):
        return holder[key] if key < len(holder) else None
    try:
        return holder.cell_contents
    except ValueError:  # not assigned yet
        return None


def _parts(*owners: Any) -> Iterator[Any]:
    """Yield the owners, and the modules, parameters, buffers and dict items in them."""
    for owner in owners:
        yield owner
        if isinstance(owner, nn.Module):
            yield from owner.modules()
            yield from owner.parameters()
            yield from owner.buffers()
        elif isinstance(owner, dict):
            yield from owner.values()
