"""Objects that a task's functions hold and that no checkpoint has: found by looking for a change."""

from __future__ import annotations

import random
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from .task import Task

FUNCTIONS = ("step", "evaluate", "loss", "augment", "optimizer", "collate")
WATCHED = (Tensor, nn.Module, torch.Generator, np.random.Generator, np.random.RandomState, random.Random)
CHANGES = (
    "`{name}`, which the task's `{function}` holds, changes while it trains and is not in the checkpoint: a resumed run"
    ' starts with a new one. Keep it in Task(state={{"{name}": {name}}}).'
)


class HeldObjects:
    """The tensors, modules and generators in the closures of a task's functions."""

    def __init__(self, task: Task) -> None:
        """Note each of them as it is now, except what a checkpoint has."""
        self._saved = {
            id(part) for part in _parts(task.model, task.loss, *task.state.values(), torch.default_generator)
        }
        # Each with its value, which stays alive, so that no other gets its id.
        self._held = [
            (function, name, holder, key, value, self._mark(value))
            for function in FUNCTIONS
            for name, holder, key, value in self._held_by(getattr(task, function))
        ]

    def changed(self) -> list[str]:
        """Return a sentence for each that has changed, once. Cheap: it compares versions, not numbers."""
        found = {
            (function, name)
            for function, name, holder, key, value, mark in self._held
            if self._replaced(value, _read(holder, key)) or self._mark(value) != mark
        }
        if found:
            self._held = [held for held in self._held if held[:2] not in found]
        return [CHANGES.format(function=function, name=name) for function, name in sorted(found)]

    def _held_by(self, function: Any, seen: frozenset[int] = frozenset()) -> Iterator[tuple[str, Any, Any, Any]]:
        """Yield (name, holder, key in it, value) of each variable in the closure, and one level below.

        A function in the closure is looked into, too.
        """
        function = getattr(function, "__func__", function)
        names = getattr(getattr(function, "__code__", None), "co_freevars", ())
        for name, cell in zip(names, getattr(function, "__closure__", None) or (), strict=True):
            value = _read(cell, None)
            if id(value) in self._saved or isinstance(value, Optimizer):
                continue
            if isinstance(value, FunctionType) and id(value) not in seen:
                yield from self._held_by(value, seen | {id(value)})
            elif value is None or isinstance(value, WATCHED):
                yield name, cell, None, value
                continue
            inner = value if isinstance(value, dict) else getattr(value, "__dict__", {})
            for key, item in inner.items() if isinstance(inner, dict) else ():
                if isinstance(item, WATCHED) and id(item) not in self._saved:
                    yield name, inner, key, item

    def _replaced(self, before: Any, now: Any) -> bool:
        return now is not before and (before is not None or isinstance(now, WATCHED))

    def _mark(self, value: Any) -> Any:
        """Return what differs once `value` has changed."""
        if isinstance(value, nn.Module):
            tensors = (*value.parameters(), *value.buffers())
            return [(id(tensor), tensor._version) for tensor in tensors if id(tensor) not in self._saved]
        if isinstance(value, Tensor):
            return None if value.is_inference() else value._version
        if isinstance(value, torch.Generator):
            return value.get_state().numpy().tobytes()
        if isinstance(value, np.random.Generator):
            return repr(value.bit_generator.state)
        if isinstance(value, np.random.RandomState):
            return repr(value.get_state())
        return value.getstate() if isinstance(value, random.Random) else None


def _read(holder: Any, key: Any) -> Any:
    """Return what a cell, or a dict under `key`, holds now."""
    if isinstance(holder, dict):
        return holder.get(key)
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
