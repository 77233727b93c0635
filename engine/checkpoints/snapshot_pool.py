"""Copies of the training's state in the host's memory, made into the memory of an earlier copy where one is free."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten


class SnapshotPool:
    """Makes snapshots, and reuses the memory of released ones.

    The first touch of fresh memory takes several times as long as the copy itself, so one spare copy is kept.
    """

    def __init__(self) -> None:
        """Start without a spare copy."""
        self._spare: list[Tensor] = []

    def acquire(self, state: Any) -> Any:
        """Return a copy of `state`, any nest of dicts and lists, whose tensors are on the host and share no memory."""
        leaves, structure = tree_flatten(state)
        spare, self._spare = self._spare[::-1], []
        return tree_unflatten([_copy(leaf, spare) if isinstance(leaf, Tensor) else leaf for leaf in leaves], structure)

    def release(self, snapshot: Any) -> None:
        """Take back the memory of `snapshot`; the caller must not read it again."""
        self._spare = [leaf for leaf in tree_leaves(snapshot) if isinstance(leaf, Tensor)]


def _copy(tensor: Tensor, spare: list[Tensor]) -> Tensor:
    tensor = tensor.detach()
    room = spare.pop() if spare else None
    if (
        room is not None
        and room.dtype == tensor.dtype
        and room.shape == tensor.shape
        and room.stride() == tensor.stride()
    ):
        return room.copy_(tensor)
    return tensor.to("cpu", copy=True)
