"""Read one item of a data set again under the same seed: what a data set of the user's keeps or draws shows itself."""

from __future__ import annotations

import copy
import random
import time
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from ..seeding import reseed

PIECES, PIECE = 64, 1 << 18  # a large tensor is represented by so many pieces of so many bytes
PATIENCE = 1.0  # seconds after which an item is not read once more
SHARED_ABOVE = 1000  # entries of a container, above which a copy of the data set shares it
DEPTH = 6  # levels of attributes that are looked into
FOREIGN = ("pyarrow", "PIL", "h5py", "zarr", "pandas", "lmdb")  # packages whose objects a copy shares


def reread(data: Any, seed: int) -> tuple[int | None, bool]:
    """Return a checksum of the length and one item, and whether that item is always the same under one seed.

    The checksum is None where the item is not. A copy of `data` is read, and the global generators are put back. Errors of
    the data set are left to the first batch: they count as repeated, without a checksum.
    """
    states = random.getstate(), np.random.get_state(), torch.get_rng_state(), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        return _read(data, seed)
    except Exception:  # the data set of a user may raise anything
        return None, True
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        torch.set_num_threads(states[3])


def digest(value: Any) -> int:
    """Return a checksum of the tensors, arrays and plain values in a batch or an item, in their order."""
    return checksum(tree_leaves(value))


def _read(data: Any, seed: int) -> tuple[int | None, bool]:
    """Read an item twice under one seed, and once more under another, which a fresh copy must repeat: a cache would not."""
    shared = {id(part): part for part in _large_parts(data, set())}
    # Not the first row: others read that one to see what an item is, and a cache has it.
    row = len(data) - 1
    found: list[int] = []
    began = time.monotonic()
    for seeds in ((seed, seed, seed + 1), (seed + 1,)):
        probe = copy.deepcopy(data, dict(shared))
        for number in seeds:
            if time.monotonic() - began > PATIENCE:
                return zlib.crc32(str(len(data)).encode(), found[0]), len(found) < 2 or found[0] == found[1]
            reseed(number)
            found.append(digest(probe[row]))
    if found[0] != found[1] or found[2] != found[3]:
        return None, False
    return zlib.crc32(str(len(data)).encode(), found[0]), True


def _large_parts(owner: Any, seen: set[int], depth: int = DEPTH) -> Iterator[Any]:
    """Yield the tensors, arrays and long containers that a copy of `owner` may share: they are only read."""
    if id(owner) in seen or depth < 0:
        return
    seen.add(id(owner))
    long = isinstance(owner, list | tuple | dict | set | str | bytes) and len(owner) > SHARED_ABOVE
    big = isinstance(owner, Tensor | np.ndarray) and (owner.size if isinstance(owner, np.ndarray) else owner.numel())
    if long or big > SHARED_ABOVE or type(owner).__module__.partition(".")[0] in FOREIGN:
        yield owner
        return
    for _, value in _parts(owner):
        yield from _large_parts(value, seen, depth - 1)


def _parts(owner: Any) -> list[tuple[Any, Any]]:
    """Return the attributes of an object, or the entries of a short container."""
    if isinstance(owner, Tensor | np.ndarray | str | bytes | type) or callable(getattr(owner, "__code__", None)):
        return []
    if isinstance(owner, dict):
        return list(owner.items()) if len(owner) <= SHARED_ABOVE else []
    if isinstance(owner, list | tuple):
        return list(enumerate(owner)) if len(owner) <= SHARED_ABOVE else []
    return list(getattr(owner, "__dict__", {}).items())


def checksum(values: Any) -> int:
    """Return a checksum of the values, large tensors by pieces."""
    found = 0
    for value in values:
        if isinstance(value, Tensor):
            found = zlib.crc32(f"{value.dtype}{tuple(value.shape)}".encode(), found)
            if value.layout is torch.strided and not value.is_meta and value.numel():
                found = _crc_of_bytes(value.detach(), found)
        elif isinstance(value, np.ndarray) and value.dtype != object:
            found = zlib.crc32(np.ascontiguousarray(value).tobytes(), zlib.crc32(str(value.dtype).encode(), found))
        elif isinstance(value, bytes | str | int | float | bool | None):
            found = zlib.crc32(repr(value).encode(), found)
        else:
            found = zlib.crc32(type(value).__name__.encode(), found)
    return found


def _crc_of_bytes(tensor: Tensor, found: int) -> int:
    flat = tensor.reshape(-1)
    size = max(1, PIECE // tensor.element_size())
    if flat.numel() > PIECES * size:
        starts = torch.linspace(0, flat.numel() - size, PIECES).long().tolist()
    else:
        starts = list(range(0, flat.numel(), size))
    for start in starts:
        piece = flat[start : start + size].cpu().contiguous()
        found = zlib.crc32(piece.view(torch.uint8).numpy().data, found)
    return found
