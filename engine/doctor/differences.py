"""Compare two checkpoints bit for bit, and say in words which parts differ."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

PARTS = {
    "model": "weights and buffers of the model",
    "buffers": "buffers outside the state dict",
    "loss": "state of the loss",
    "optimizer": "state of the optimizer",
    "scheduler": "state of the scheduler",
    "scaler": "gradient scaler",
    "gradients": "gradients of the accumulation window",
    "other_gradients": "gradients of other parameters",
    "window": "losses of the accumulation window",
    "state": "objects of Task(state=…)",
    "loader": "state of the data",
    "in_evaluation_mode": "modes of modules",
    "metrics": "metrics of the evaluation",
    "train_loss": "mean training loss",
    "early_stopping": "early stopping",
    "overfitting": "overfitting counter",
    "best": "best value",
    "progress": "counts",
    "folds": "results of folds",
}
"""Parts of a checkpoint that an exact resume repeats, in the order in which a difference is told."""
CLOCKS = ("seconds",)  # entries that differ between any two trainings


def different_parts(one: dict[str, Any], other: dict[str, Any]) -> dict[str, list[str]]:
    """Return the names of the entries that differ, by part; only parts that differ."""
    found = {part: list(_differences(one.get(part), other.get(part), "")) for part in PARTS}
    return {part: names for part, names in found.items() if names}


def in_words(parts: dict[str, list[str]]) -> str:
    """Return the differing parts as text: `weights and buffers of the model (4, the first is fc1.weight)`."""
    shown = [f"{PARTS[part]} ({len(names)}, the first is {names[0]})" for part, names in list(parts.items())[:3]]
    return ", ".join(shown) + (f" and {len(parts) - 3} more parts" if len(parts) > 3 else "")


def same(one: Any, other: Any) -> bool:
    """Return whether two values have the same bits."""
    return not any(True for _ in _differences(one, other, ""))


def _differences(one: Any, other: Any, where: str) -> Iterator[str]:
    """Yield the path of each entry that differs in any bit."""
    at = where.removeprefix(".") or "all of it"
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        if (one.dtype, one.shape) != (other.dtype, other.shape) or not _same_bits(one, other):
            yield at
    elif isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            if key in CLOCKS:
                continue
            if key not in one or key not in other:
                yield f"{where}.{key}".removeprefix(".")
            else:
                yield from _differences(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list | tuple) and type(one) is type(other) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from _differences(*pair, f"{where}.{number}")
    elif not _same_plain(one, other):
        yield at


def _same_bits(one: Tensor, other: Tensor) -> bool:
    if not one.numel():
        return True
    bits = [tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8) for tensor in (one, other)]
    return torch.equal(*bits)


def _same_plain(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other):
        return True
    try:
        return type(one) is type(other) and bool(one == other)
    except Exception:  # an object of the user's may refuse to be compared
        return False
