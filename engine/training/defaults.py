"""Defaults that depend on the task: how many CPU threads to use."""

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
