"""Defaults that depend on the task: how many CPU threads to use, and which random generators to reseed."""

from __future__ import annotations

import torch

from ..data.factory import in_memory
from ..tasks.task import Task

SINGLE_THREAD_BELOW = 1_000_000  # parameters × samples of a batch


def default_threads(task: Task, batch_size: int | None) -> int:
    """Return torch's number of CPU threads, or 1 where a batch is too little work for a second thread.

    For the MLP of iris on its full batch, two threads take 1.25 times as long as one. On a busy machine they take
    100 times as long.
    """
    tensors = in_memory(task.train)
    samples = batch_size or (len(tensors[0]) if tensors else 1)
    work = samples * sum(parameter.numel() for parameter in task.model.parameters())
    return 1 if work < SINGLE_THREAD_BELOW else torch.get_num_threads()


def uses_python_or_numpy_rng(task: Task) -> bool:
    """Return whether a training step of `task` may draw from Python's or numpy's generators.

    Modules of torch.nn draw from torch's generators alone, so a step of those needs only torch reseeded.
    """
    modules = list(task.model.modules())
    if isinstance(task.loss, torch.nn.Module):
        modules += task.loss.modules()
    plain = all(type(module).__module__.startswith("torch.nn.") and not _has_hooks(module) for module in modules)
    loss_is_plain = (
        isinstance(task.loss, torch.nn.Module) or getattr(task.loss, "__module__", "") == "torch.nn.functional"
    )
    return task.step is not None or not (plain and loss_is_plain)


def _has_hooks(module: torch.nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)
