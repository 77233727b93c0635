"""Objects of the task's own in a checkpoint: how each kind of them is saved and restored."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils._pytree import tree_leaves, tree_map

from ..errors import CheckpointError

KINDS = "an object with state_dict and load_state_dict, a dict, a tensor, or a generator of torch or numpy"


def has_state(value: Any) -> bool:
    """Return whether `value` has `state_dict` and `load_state_dict`, as a module or an optimizer has."""
    return callable(getattr(value, "state_dict", None)) and callable(getattr(value, "load_state_dict", None))


def can_be_saved(value: Any) -> bool:
    """Return whether `state_of` knows the kind of `value`."""
    return has_state(value) or isinstance(value, MutableMapping | Tensor | torch.Generator | np.random.Generator)


def state_of(value: Any) -> Any:
    """Return the state of `value`, one of the kinds of `KINDS`. Its tensors are its own: copy them."""
    if has_state(value):
        return value.state_dict()
    if isinstance(value, torch.Generator):
        return value.get_state()
    if isinstance(value, np.random.Generator):
        # A checkpoint holds no numpy arrays: reading one would need code.
        return tree_map(lambda leaf: torch.from_numpy(leaf) if isinstance(leaf, np.ndarray) else leaf, _bits(value))
    return value if isinstance(value, Tensor) else dict(value)


def tensors_of(value: Any) -> list[Tensor]:
    """Return the tensors that `value` holds as far as they are known: of a module, an optimizer, a dict, or itself."""
    if isinstance(value, nn.Module):
        return [*value.parameters(), *value.buffers()]
    if isinstance(value, Optimizer):
        value = value.state
    return [
        leaf for leaf in tree_leaves(dict(value) if isinstance(value, Mapping) else value) if isinstance(leaf, Tensor)
    ]


def restore(name: str, value: Any, state: Any) -> None:
    """Put `state` back into `value`, in place. Raises CheckpointError, which names the part."""
    try:
        if has_state(value):
            value.load_state_dict(state)
        elif isinstance(value, torch.Generator):
            value.set_state(state)
        elif isinstance(value, np.random.Generator):
            found = tree_map(lambda leaf: leaf.numpy() if isinstance(leaf, Tensor) else leaf, state)
            value.bit_generator.state = found
        elif isinstance(value, Tensor):
            value.data.copy_(state)
        else:
            _update(value, state)
    except Exception as error:  # the user's own `load_state_dict` may raise anything
        line = str(error).partition("\n")[0]
        raise CheckpointError(f"the checkpoint's state of {name!r} does not fit the task's: {line}") from error


def _bits(generator: np.random.Generator) -> Any:
    return generator.bit_generator.state


def _update(old: MutableMapping[Any, Any], new: dict[Any, Any]) -> None:
    """Make `old` equal to `new`; a tensor that it holds stays the same object, on its device."""
    for key in [key for key in old if key not in new]:
        del old[key]
    for key, value in new.items():
        now = old.get(key)
        if isinstance(now, Tensor) and isinstance(value, Tensor):
            if (now.shape, now.dtype) == (value.shape, value.dtype):
                now.data.copy_(value)
            else:
                old[key] = value.to(now.device)
        else:
            old[key] = value
