"""Look at data before the first step: a checksum to compare on resume, and whether it draws from its own generator."""

from __future__ import annotations

import copy
import random
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves
from torch.utils.data import DataLoader, IterableDataset

from ..seeding import reseed
from .factory import in_memory
from .splits import indexable
from .stateful import stateful_dataset

PIECES, PIECE = 64, 1 << 18  # a large tensor is represented by so many pieces of so many bytes
SLOW_READ = 0.2  # seconds for one item, above which it is not read again
SHARED_ABOVE = 1000  # entries of a container, above which a copy of the data set shares it
DEPTH = 6  # levels of attributes that are searched for generators
GENERATORS = (torch.Generator, np.random.Generator, np.random.RandomState, random.Random)
FOREIGN = ("pyarrow", "PIL", "h5py", "zarr", "pandas", "lmdb")  # packages whose objects a copy shares
DRAWS = (
    "`{name}` yields another item when it is read again under the same seed: it depends on a generator of its own, the"
    " clock, a counter or a cache. Draw from the global generators of torch, numpy or Python, or give it `state_dict` and"
    " `load_state_dict`."
)
HOLDS = (
    "`{name}` has a generator of its own (`{attribute}`), and each worker draws from a copy of it, which is in no"
    " checkpoint. Draw from the global generators of torch, numpy or Python, which are seeded for each batch."
)


@dataclass(frozen=True)
class Inspected:
    """The result of a look at data."""

    checksum: str = ""
    """Of the tensors, or of the length and one item; empty if there is none that another process would repeat."""
    warning: str | None = None
    """Why resuming may not be exact."""


def inspect_data(data: Any, seed: int, workers: int = 0) -> Inspected:
    """Look at training or evaluation data. No generator and no data set notices; errors are left to the first batch."""
    if (tensors := in_memory(data)) is not None:
        return Inspected(_hex(_crc(tensors)))
    if isinstance(data, DataLoader):
        data, workers = data.dataset, max(workers, data.num_workers)
        if (tensors := in_memory(data)) is not None:
            return Inspected(_hex(_crc(tensors)))
    if isinstance(data, IterableDataset) or not indexable(data) or stateful_dataset(data) is not None:
        return Inspected()
    name = type(data).__name__
    if workers:
        # Not read here: a file that this process opened must not be shared with the workers.
        found = next(generators_in(data), None)
        return Inspected(warning=None if found is None else HOLDS.format(name=name, attribute=found))
    states = random.getstate(), np.random.get_state(), torch.get_rng_state(), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        return _read_twice(data, name, seed)
    except Exception:  # the data set of a user may raise anything; its first batch will tell
        return Inspected()
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        torch.set_num_threads(states[3])


def digest(value: Any) -> int:
    """Return a checksum of the tensors, arrays and plain values in a batch or an item, in their order."""
    return _crc(tree_leaves(value))


def generators_in(owner: Any, name: str = "", depth: int = DEPTH, seen: set[int] | None = None) -> Iterator[str]:
    """Yield the paths of the random generators among the attributes of `owner`, such as `transform.rng`."""
    seen = set() if seen is None else seen
    if id(owner) in seen or depth < 0:
        return
    seen.add(id(owner))
    if isinstance(owner, GENERATORS):
        yield name
        return
    for key, value in _parts(owner):
        yield from generators_in(value, f"{name}.{key}" if name else str(key), depth - 1, seen)


def _read_twice(data: Any, name: str, seed: int) -> Inspected:
    """Read one item again under the same seed, and under another one also on a fresh copy: a cache keeps old draws."""
    shared = {id(part): part for part in _large_parts(data, set())}
    found: list[int] = []
    for copies in (1, 2):
        probe = copy.deepcopy(data, dict(shared))
        for number in (seed, seed, seed + 1)[2 * (copies - 1) :]:
            reseed(number)
            began = time.monotonic()
            found.append(digest(probe[0]))
            if time.monotonic() - began > SLOW_READ:
                return Inspected(_hex(zlib.crc32(str(len(data)).encode(), found[0])))
    if found[0] != found[1] or found[2] != found[3]:
        return Inspected(warning=DRAWS.format(name=name))
    return Inspected(_hex(zlib.crc32(str(len(data)).encode(), found[0])))


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


def _crc(values: Any) -> int:
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


def _hex(number: int) -> str:
    return f"{number:08x}"
