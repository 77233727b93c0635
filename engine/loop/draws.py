"""Seed the generators before each batch, those of Python and numpy only where they were drawn from since."""

from __future__ import annotations

import _random
import ctypes
import random
import struct
from typing import Any

import numpy as np
import torch

from ..seeding import Stream, reseed, reseed_torch, seed_for

NUMPY = np.random.mtrand._rand
"""The object behind `np.random.random` and its like."""
WORDS = 624  # words of 32 bits in the state of MT19937, which Python and numpy both use


class Draws:
    """Makes random draws of a loop a function of its position; reseeding Python and numpy each time would cost 8 µs.

    Their draws in a batch come from the seed of the last position at which they were reseeded: the first batch of the
    epoch, or the one after a batch that drew. `state` is that position, so that a resumed loop draws the same.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        """Seed by `seed` and the position; `device` has a generator of its own, which is always reseeded."""
        self._seed, self._device = seed, device
        # Only the CPU's generator: straight to it, because this is called for each batch.
        self._torch = torch.default_generator.manual_seed if device.type == "cpu" else self._reseed_torch
        self._watched = _watch()
        self._marks: tuple[bytes, bytes] | None = None
        """What is watched, right after the last seeding; None forces the next one."""
        self._at = (0, 0)
        self._resume_at: tuple[int, int] | None = None

    def seed(self, epoch: int, batch: int) -> None:
        """Seed before this batch."""
        value = seed_for(Stream.STEP, self._seed, epoch, batch)
        if batch and self._marks is not None and self._marks == self._now():
            self._torch(value)
            return
        # The first batch of an epoch is always one of its own.
        at, self._resume_at = (self._resume_at if batch and self._resume_at else (epoch, batch)), None
        if at == (epoch, batch):
            reseed(value, self._device)
        else:
            reseed(seed_for(Stream.STEP, self._seed, *at))
            self._torch(value)
        self._at, self._marks = at, self._now()

    def _reseed_torch(self, value: int) -> None:
        reseed_torch(value, self._device)

    def state(self) -> list[int] | None:
        """Return the position of the last seeding, or None where Python or numpy has drawn since."""
        return list(self._at) if self._marks is not None and self._marks == self._now() else None

    def resume(self, state: list[int] | None) -> None:
        """Seed as an undisturbed loop would, whatever the script's set-up drew."""
        self._marks, self._resume_at = None, (state[0], state[1]) if state is not None else None

    def _now(self) -> tuple[bytes, bytes] | None:
        if self._watched is None:
            return None
        of_python, of_numpy, generator = self._watched
        return (of_python.raw, of_numpy.raw) if NUMPY._bit_generator is generator else None


def _watch() -> tuple[Any, Any, Any] | None:
    """Return a part of Python's state and one of numpy's that any draw changes, and numpy's generator.

    It is the position in the state and the words beside it, which change when all words are used up and by a new seed.
    None where they cannot be found.
    """
    generator = NUMPY._bit_generator
    if type(generator).__name__ != "MT19937" or not _checked():
        return None
    return _of_python(random._inst), _of_numpy(generator), generator


def _of_python(generator: random.Random) -> Any:
    # The object ends with its position and the words. A seed leaves the first word as it is.
    start = id(generator) + (_random.Random.__basicsize__ - 4 * (WORDS + 1)) // 8 * 8
    return (ctypes.c_char * 12).from_address(start)


def _of_numpy(generator: Any) -> Any:
    # The struct has the words, then the position.
    return (ctypes.c_char * 8).from_address(generator.ctypes.state_address + 4 * (WORDS - 1))


def _checked() -> bool:
    """Return whether the parts are where they are looked for, tried on generators of our own."""
    one, other = random.Random(5), np.random.RandomState(5)
    for draws in (0, 1, 1, WORDS // 2 - 3, 1, 1, 1):  # up to the words being used up, and beyond
        for _ in range(draws):
            one.random(), other.random_sample()
        words = one.getstate()[1]
        state: Any = other.get_state()
        expected = struct.pack("5I", words[-1], *words[:2], int(state[1][-1]), int(state[2]))
        if _of_python(one).raw + _of_numpy(other._bit_generator).raw != expected:
            return False
    return True
