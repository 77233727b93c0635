"""Which random generators a task may draw from."""

from __future__ import annotations

from torch import nn

from .task import Task


def uses_python_or_numpy_rng(task: Task) -> bool:
    """Return whether a training step of `task` may draw from Python's or numpy's generators.

    Modules of torch.nn draw from torch's generators alone, so a step of those needs only torch reseeded.
    """
    modules = list(task.model.modules())
    if isinstance(task.loss, nn.Module):
        modules += task.loss.modules()
    plain = all(type(module).__module__.startswith("torch.nn.") and not _has_hooks(module) for module in modules)
    loss_is_plain = isinstance(task.loss, nn.Module) or getattr(task.loss, "__module__", "") == "torch.nn.functional"
    return task.step is not None or not (plain and loss_is_plain)


def _has_hooks(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)
