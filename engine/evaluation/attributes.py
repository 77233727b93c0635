"""Plain attributes of modules that change while they train: a hidden state, a counter, a centre that is no buffer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

PLAIN = (bool, int, float)
OF_EVERY_MODULE = frozenset(vars(nn.Module()))
Attributes = dict[str, Any]
"""Value by full name, such as `body.0.hidden`."""


def attributes(root: nn.Module) -> Attributes:
    """Return the tensors and numbers that modules of `root` hold as plain attributes, neither parameter nor buffer.

    A tensor of a graph is left out: the next forward pass computes it again.
    """
    return {
        (f"{prefix}.{name}" if prefix else name): value
        for prefix, module in root.named_modules()
        for name, value in vars(module).items()
        if name not in OF_EVERY_MODULE and _is_plain(value)
    }


def copies(values: Attributes) -> Attributes:
    """Return the values with a copy of each tensor, to see later that it has changed."""
    return {name: value.detach().clone() if isinstance(value, Tensor) else value for name, value in values.items()}


def changed(now: Attributes, before: Attributes) -> Attributes:
    """Return those of `now` that are not as in `before`."""
    return {name: value for name, value in now.items() if name not in before or not _same(value, before[name])}


def assign(root: nn.Module, values: Attributes) -> None:
    """Give the modules of `root` these values. A tensor keeps its device, or goes to that of the parameters."""
    device = next((parameter.device for parameter in root.parameters()), None)
    for module, name, value in _owners(root, values):
        now = vars(module).get(name)
        if isinstance(value, Tensor):
            if isinstance(now, Tensor) and (now.shape, now.dtype) == (value.shape, value.dtype) and now.grad_fn is None:
                with torch.no_grad():
                    now.copy_(value)
                continue
            value = value.to(now.device if isinstance(now, Tensor) else device, copy=True)  # noqa: PLW2901
        setattr(module, name, value)


def _owners(root: nn.Module, values: Attributes) -> Iterator[tuple[nn.Module, str, Any]]:
    modules = dict(root.named_modules())
    for full, value in values.items():
        prefix, _, name = full.rpartition(".")
        if prefix in modules:
            yield modules[prefix], name, value


def _is_plain(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.grad_fn is None and not isinstance(value, nn.Parameter) and not value.is_meta
    return type(value) in PLAIN


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        if (one.shape, one.dtype, one.device) != (other.shape, other.dtype, other.device):
            return False
        return bool(torch.equal(one, other))
    return type(one) is type(other) and one == other
