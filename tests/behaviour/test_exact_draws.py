"""Draws from python's and numpy's generators are functions of the position, wherever a task makes them."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook

from stoker.engine import Task
from tests.support.in_process import interrupted
from tests.support.process_runner import assert_same_run
from tests.support.tasks_for_tests import CLASSES, FEATURES, SETTINGS, data


def drawn(value: Tensor) -> Tensor:
    """Return `value` scaled by a draw of python and one of numpy."""
    return value * random.uniform(0.5, 1.5) * float(np.random.uniform(0.5, 1.5))


def plain() -> Task:
    """A task of modules of torch alone."""
    model = nn.Sequential(nn.Linear(FEATURES, 8), nn.ReLU(), nn.Linear(8, CLASSES))
    return Task(model=model, train=data(64, 1), test=data(20, 2), loss=nn.CrossEntropyLoss(), settings=SETTINGS)


def of_parameter(task: Task) -> None:
    """Draw when a gradient is made."""
    task.model[0].weight.register_hook(drawn)  # type: ignore[index, union-attr]


def of_accumulated(task: Task) -> None:
    """Draw when a gradient is added."""

    def scale(parameter: Tensor) -> None:
        assert parameter.grad is not None
        parameter.grad = drawn(parameter.grad)

    task.model[0].weight.register_post_accumulate_grad_hook(scale)  # type: ignore[index, union-attr]


def of_backward(task: Task) -> None:
    """Draw before a module's backward pass."""
    task.model[2].register_full_backward_pre_hook(lambda _, grads: tuple(map(drawn, grads)))  # type: ignore[index]


def of_forward(task: Task) -> None:
    """Draw in a forward that replaces the module's own."""
    layer: Any = task.model[2]  # type: ignore[index]
    forward = layer.forward
    layer.forward = lambda inputs: drawn(forward(inputs))


class Langevin(torch.optim.SGD):
    """Adds noise to every step."""

    def step(self, closure: Any = None) -> Any:
        super().step(closure)
        with torch.no_grad():
            for group in self.param_groups:
                for parameter in group["params"]:
                    parameter.add_(drawn(torch.ones(())) * 0.01)


def of_optimizer(task: Task) -> None:
    """Draw in the optimizer."""
    task.optimizer = lambda model, lr: Langevin(model.parameters(), lr)


def of_optimizer_hook(task: Task) -> None:
    """Draw in a hook of torch's optimizer."""

    def optimizer(model: nn.Module, lr: float) -> torch.optim.Optimizer:
        made = torch.optim.SGD(model.parameters(), lr)

        def scale(*_: Any) -> None:
            for parameter in model.parameters():
                assert parameter.grad is not None
                parameter.grad = drawn(parameter.grad)

        made.register_step_pre_hook(scale)
        return made

    task.optimizer = optimizer


WAYS = [of_parameter, of_accumulated, of_backward, of_forward, of_optimizer, of_optimizer_hook]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_draws_of_a_step_are_resumed(way: Callable[[Task], None], tmp_path: Path) -> None:
    """A hook, a replaced forward and an own optimizer may draw from any generator."""

    def make() -> Task:
        task = plain()
        way(task)
        return task

    whole, resumed = interrupted(tmp_path, make, stop_at=8)
    assert_same_run(whole.folder, resumed.folder)


def test_draws_of_a_global_hook_are_resumed(tmp_path: Path) -> None:
    """A hook of all modules may draw."""
    hook: Any = lambda module, inputs, outputs: drawn(outputs)  # noqa: E731
    handle = register_module_forward_hook(hook)
    try:
        whole, resumed = interrupted(tmp_path, plain, stop_at=8)
    finally:
        handle.remove()
    assert_same_run(whole.folder, resumed.folder)
