"""Whether a loader's sampler yields the same order again under the same seed."""

from __future__ import annotations

import copy
import random
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from ..seeding import reseed

PROBED = 64  # indices, or batches of them, that are compared


def repeats_its_order(loader: DataLoader[Any]) -> bool:
    """Return whether a map-style loader's sampler draws from the global generators alone, as far as can be seen.

    A copy of the sampler is read twice under one seed: neither the sampler nor the global generators notice.
    """
    if isinstance(loader.dataset, IterableDataset) or loader.generator is not None:
        return False
    sampler = loader.batch_sampler or loader.sampler
    python, numpy_state, torch_state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        # The dataset, which a sampler often holds, is not copied.
        probe = copy.deepcopy(sampler, {id(loader.dataset): loader.dataset})
        found = []
        for _ in range(2):
            reseed(0)
            found.append([_plain(item) for item in islice(iter(probe), PROBED)])
    except Exception:  # a sampler of the user's may refuse to be copied in any way
        return False
    finally:
        random.setstate(python)
        np.random.set_state(numpy_state)
        torch.set_rng_state(torch_state)
    return found[0] == found[1]


def _plain(item: Any) -> Any:
    return list(map(int, item)) if isinstance(item, list | tuple) else int(item)
