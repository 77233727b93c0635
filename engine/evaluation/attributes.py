"""Plain attributes of modules that change while they train: a hidden state, a counter, a centre that is no buffer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

PLAIN = (bool, int, float)
OF_EVERY_MODULE = frozenset(vars(nn.Module()))
MAX_COPIED = 1 << 20  # numbers of a tensor that is copied before an evaluation
Attributes = dict[str, Any]
"""Value by full name, such as `body.0.hidden`."""
Marks = dict[str, tuple[Any, int]]
"""Value and version by full name."""


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


def marks(values: Attributes) -> Marks:
    """Return the values with the version of each tensor, to see later that it has changed; no tensor is copied."""
    return {name: (value, value._version if isinstance(value, Tensor) else 0) for name, value in values.items()}


def copies(values: Attributes) -> Attributes:
    """Return the values with a copy of each small tensor. A large one is only held: it is rarely changed in place."""
    return {
        name: value.detach().clone() if isinstance(value, Tensor) and value.numel() <= MAX_COPIED else value
        for name, value in values.items()
    }


def changed(now: Attributes, before: Marks) -> Attributes:
    """Return those of `now` that are not as in `before`."""
    return {name: value for name, value in now.items() if name not in before or not _same(value, *before[name])}


def assign(root: nn.Module, values: Attributes) -> None:
    """Give the modules of `root` these values. A tensor goes to the device of the old one, or of the parameters.

    No tensor is written in place: another attribute may be the same one.
    """
    device = next((parameter.device for parameter in root.parameters()), None)
    for module, name, value in _owners(root, values):
        now = vars(module).get(name)
        if isinstance(value, Tensor):
            value = value.to(now.device if isinstance(now, Tensor) else device, copy=True)  # noqa: PLW2901
        setattr(module, name, value)


def put_back(root: nn.Module, before: Marks, contents: Attributes) -> None:
    """Give the modules of `root` the objects of `before` again, each tensor with its content in `contents`."""
    now = attributes(root)
    names = [name for name in before if name not in now or name in changed({name: now[name]}, before)]
    for name in names:
        value, version = before[name]
        if isinstance(value, Tensor) and value._version != version and contents[name] is not value:
            with torch.no_grad():
                value.copy_(contents[name])
    for module, name, value in _owners(root, {name: before[name][0] for name in names}):
        setattr(module, name, value)


def _owners(root: nn.Module, values: Attributes) -> Iterator[tuple[nn.Module, str, Any]]:
    modules = dict(root.named_modules())
    for full, value in values.items():
        prefix, _, name = full.rpartition(".")
        if prefix in modules:
            yield modules[prefix], name, value


def _is_plain(value: Any) -> bool:
    if isinstance(value, Tensor):
        return (
            value.grad_fn is None
            and not value.is_inference()
            and not isinstance(value, nn.Parameter)
            and not value.is_meta
        )
    return type(value) in PLAIN


def _same(now: Any, then: Any, version: int) -> bool:
    """Return whether `now` is what `then` was at this version."""
    if not (isinstance(now, Tensor) and isinstance(then, Tensor)):
        return type(now) is type(then) and bool(now == then)
    if then._version != version:
        return False
    if now is then:
        return True
    alike = (now.shape, now.dtype, now.device) == (then.shape, then.dtype, then.device)
    return alike and bool(torch.equal(now, then))
