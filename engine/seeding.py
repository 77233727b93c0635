"""Seeds as a function of (seed, epoch, batch): no generator has a state that a checkpoint would have to restore."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from enum import IntEnum

import numpy as np
import torch

MASK = (1 << 64) - 1  # splitmix64 computes modulo 2**64


class Stream(IntEnum):
    """The purpose of a seed. Two purposes never share a seed."""

    ORDER = 1
    DATA = 2
    STEP = 3
    EPOCH = 4
    SPLIT = 5
    EVALUATION = 6


def seed_for(stream: Stream, seed: int, epoch: int = 0, batch: int = 0) -> int:
    """Return a seed of 32 bits, the width that torch's CPU generator keeps.

    The position is mixed by the finaliser of splitmix64 (Steele, Lea and Flood 2014).
    """
    z = (seed * 0x9E3779B97F4A7C15 + epoch * 0xD1B54A32D192ED03 + batch * 0x8CB92BA72F3D8DD7 + stream) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return (z ^ (z >> 31)) & 0xFFFFFFFF


def reseed(value: int, device: torch.device | None = None) -> None:
    """Seed the global generators of Python, numpy and torch on the CPU, and torch's on `device`."""
    random.seed(value)
    np.random.seed(value)
    reseed_torch(value, device)


def reseed_torch(value: int, device: torch.device | None = None) -> None:
    """Seed torch's global generator on the CPU, and the one on `device`."""
    # Not torch.manual_seed: it seeds every kind of device and takes a hundred times as long.
    torch.default_generator.manual_seed(value)
    if device is not None and device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(value)
    elif device is not None and device.type == "mps":
        torch.mps.manual_seed(value)


@contextlib.contextmanager
def generators_kept() -> Iterator[None]:
    """Put the states of Python's, numpy's and torch's generators back after the block."""
    python, of_numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(of_numpy)
        torch.set_rng_state(cpu)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)


def order(seed: int, epoch: int, size: int) -> torch.Tensor:
    """Return the order of the rows in one epoch: a permutation (size,) of int64."""
    generator = torch.Generator().manual_seed(seed_for(Stream.ORDER, seed, epoch))
    return torch.randperm(size, generator=generator)
