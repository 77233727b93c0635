"""Copies of the training's state in the host's memory, made into the memory of an earlier copy where one is free."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten


class Snapshots:
    """Makes snapshots, and takes back those that nobody needs any more.

    The first touch of fresh memory takes several times as long as the copy itself, so one spare copy is kept.
    """

    def __init__(self) -> None:
        """Begin without a spare copy."""
        self._spare: list[Tensor] = []

    def take(self, state: Any) -> Any:
        """Return a copy of `state` in the host's memory that training can no longer change, CPU tensors included."""
        leaves, structure = tree_flatten(state)
        spare, self._spare = self._spare[::-1], []
        return tree_unflatten([_copy(leaf, spare) if isinstance(leaf, Tensor) else leaf for leaf in leaves], structure)

    def give_back(self, snapshot: Any) -> None:
        """Say that nobody will look at `snapshot` again."""
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
