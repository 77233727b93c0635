"""A CUDA stream for batches, so that a batch is copied to the device while the step before it computes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves


def copied(move: Callable[[], Any], device: torch.device) -> Any:
    """Return the batch that `move` copies to `device`; what is computed from now on waits for it, on the device.

    Every part of the batch that holds memory of the device must be a tensor that pytree finds.
    """
    stream, now = _stream(device), torch.cuda.current_stream(device)
    with torch.cuda.stream(stream):
        batch = move()
    now.wait_stream(stream)
    for leaf in tree_leaves(batch):
        if isinstance(leaf, Tensor):
            # Else its memory would be free for the next copy as soon as the host forgets it, before the step has read it.
            leaf.record_stream(now)
    return batch


@functools.cache
def _stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
