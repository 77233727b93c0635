"""Which random generators a task may draw from."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.nn.modules import module as torch_module
from torch.optim import Optimizer
from torch.optim import optimizer as torch_optimizer

from .task import Task

MODULE_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
PARAMETER_HOOKS = ("_backward_hooks", "_post_accumulate_grad_hooks")
OPTIMIZER_HOOKS = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")


def uses_python_or_numpy_rng(task: Task, optimizer: Optimizer | None = None) -> bool:
    """Return whether a training step of `task` with `optimizer` may draw from Python's or numpy's generators.

    Code of torch draws from torch's generators alone, so a step of that needs only torch reseeded: 2 µs, not 8.
    """
    modules = list(task.model.modules())
    if isinstance(task.loss, nn.Module):
        modules += task.loss.modules()
    loss_is_torchs = isinstance(task.loss, nn.Module) or getattr(task.loss, "__module__", "") == "torch.nn.functional"
    return (
        task.step is not None
        or not loss_is_torchs
        or not all(map(_is_torchs, modules))
        or any(_has(parameter, PARAMETER_HOOKS) for module in modules for parameter in module.parameters(recurse=False))
        or _has(torch_module, [f"_global{name}" for name in MODULE_HOOKS])
        or (optimizer is not None and not _is_torchs_optimizer(optimizer))
    )


def _is_torchs(module: nn.Module) -> bool:
    """Return whether a call of `module`, forward and backward, runs code of torch alone."""
    # An attribute may be a function of the user: a replaced `forward`, an activation.
    own = any(callable(value) and not _from(value, "torch") for value in vars(module).values())
    return _from(type(module), "torch.nn.") and not own and not _has(module, MODULE_HOOKS)


def _is_torchs_optimizer(optimizer: Optimizer) -> bool:
    # A scheduler of torch replaces `step` on the object, to warn of a wrong order.
    replaced = "step" in vars(optimizer) and not hasattr(optimizer.step, "_wrapped_by_lr_sched")
    hooks = _has(optimizer, OPTIMIZER_HOOKS) or _has(
        torch_optimizer, ("_global_optimizer_pre_hooks", "_global_optimizer_post_hooks")
    )
    return _from(type(optimizer), "torch.optim.") and not replaced and not hooks


def _from(value: Any, package: str) -> bool:
    return str(getattr(value, "__module__", "")).startswith(package)


def _has(owner: Any, names: Any) -> bool:
    return any(getattr(owner, name, None) for name in names)
