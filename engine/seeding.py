"""Randomness is a function, not a state: every draw comes from (seed, epoch, batch), so nothing has to be restored."""

from __future__ import annotations

import random
from enum import IntEnum

import numpy as np
import torch

from .tasks.task import Task

MASK = (1 << 64) - 1


class Stream(IntEnum):
    """What a seed is for, so that two uses never share one."""

    ORDER = 1
    DATA = 2
    STEP = 3
    EPOCH = 4
    SPLIT = 5


def seed_for(stream: Stream, seed: int, epoch: int = 0, batch: int = 0) -> int:
    """Mix the position into 32 bits (splitmix64's finaliser), the width that torch's CPU generator keeps."""
    z = (seed * 0x9E3779B97F4A7C15 + epoch * 0xD1B54A32D192ED03 + batch * 0x8CB92BA72F3D8DD7 + stream) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return (z ^ (z >> 31)) & 0xFFFFFFFF


def reseed(value: int, device: torch.device | None = None) -> None:
    """Reseed python's, numpy's and torch's global generators on the CPU, and the one of `device`."""
    random.seed(value)
    np.random.seed(value)
    reseed_torch(value, device)


def reseed_torch(value: int, device: torch.device | None = None) -> None:
    """Reseed torch's global generator on the CPU, and the one of `device`."""
    # Not torch.manual_seed, which takes a hundred times as long to reach every kind of device.
    torch.default_generator.manual_seed(value)
    if device is not None and device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(value)
    elif device is not None and device.type == "mps":
        torch.mps.manual_seed(value)


def draws_elsewhere(task: Task) -> bool:
    """Say whether a step of the task may draw from python's or numpy's generators: torch's own modules never do."""
    modules = list(task.model.modules())
    if isinstance(task.loss, torch.nn.Module):
        modules += task.loss.modules()
    plain = all(type(module).__module__.startswith("torch.nn.") and not _hooked(module) for module in modules)
    loss_is_plain = (
        isinstance(task.loss, torch.nn.Module) or getattr(task.loss, "__module__", "") == "torch.nn.functional"
    )
    return task.step is not None or not (plain and loss_is_plain)


def _hooked(module: torch.nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)


def order(seed: int, epoch: int, size: int) -> torch.Tensor:
    """Return the order of the data in one epoch: a permutation (size,) of int64."""
    generator = torch.Generator().manual_seed(seed_for(Stream.ORDER, seed, epoch))
    return torch.randperm(size, generator=generator)
