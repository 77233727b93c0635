"""Invalid tasks: one mistake each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from stoker.engine import Task

PAIRS = (torch.rand(100, 3), torch.zeros(100, dtype=torch.long))
SETTINGS = {"epochs": 1, "batch_size": 20, "device": "cpu"}


class Stream(IterableDataset[Any]):
    """A dataset without a length."""

    def __iter__(self) -> Iterator[Any]:
        return iter(zip(*PAIRS, strict=True))


class Empty(Dataset[Any]):
    """A dataset without rows."""

    def __len__(self) -> int:
        return 0

    def __getitem__(self, row: int) -> Any:
        raise IndexError


class Targets(Empty):
    """A dataset with fewer `targets` than rows."""

    targets = [0] * 90

    def __len__(self) -> int:
        return 100


class Weighted(Dataset[Any]):
    """A dataset of (input, target, weight)."""

    def __len__(self) -> int:
        return 100

    def __getitem__(self, row: int) -> Any:
        return PAIRS[0][row], PAIRS[1][row], 1.0


class Named(nn.Module):
    """A model whose outputs are a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        return {"classes": self.layer(inputs)}


def _task(**changed: Any) -> Task:
    usual: dict[str, Any] = {"model": nn.Linear(3, 2), "train": PAIRS, "loss": nn.CrossEntropyLoss()}
    return Task(**{**usual, "settings": SETTINGS, **changed})


def _loss_per_sample(size: int) -> Any:
    return lambda model, batch: model(batch[0]).sum(1)[:size]


MISTAKES: dict[str, dict[str, Any]] = {
    "stream": {"train": Stream()},
    "loader": {"train": DataLoader(TensorDataset(*PAIRS), batch_size=20)},
    "asked": {"train": Stream(), "settings": {"split": "holdout:0.1"}},
    "unequal": {"train": (PAIRS[0], PAIRS[1][:90])},
    "unequal_test": {"test": (PAIRS[0], PAIRS[1][:90])},
    "three": {"train": (PAIRS[0], PAIRS[0][:70], PAIRS[1]), "collate": list},
    "targets": {"train": Targets()},
    "empty": {"train": (PAIRS[0][:0], PAIRS[1][:0])},
    "empty_val": {"val": (PAIRS[0][:0], PAIRS[1][:0])},
    "no_rows": {"train": Empty()},
    "number": {"train": (PAIRS[0], torch.tensor(3))},
    "arrays": {"train": (np.zeros((9, 3)), np.zeros(9))},
    "one": {"train": TensorDataset(PAIRS[0])},
    "none": {"train": None},
    "no_loss": {"loss": None},
    "words": {"loss": "mse"},
    "not_measured": {"loss": None, "step": lambda model, batch: model(batch[0]).sum()},
    "no_model": {"model": nn.Linear},
    "function": {"model": lambda inputs: inputs},
    "lazy": {"model": nn.Sequential(nn.LazyLinear(4), nn.Linear(4, 2))},
    "closure": {"optimizer": lambda model, lr: torch.optim.LBFGS(model.parameters(), lr)},
    "no_optimizer": {"optimizer": lambda model, lr: None},
    "step": {"step": _loss_per_sample(20)},
    "number_step": {"step": lambda model, batch: 3.5},
    "nothing_step": {"step": lambda model, batch: None},
    "reduction": {"loss": nn.CrossEntropyLoss(reduction="none")},
    "weighted": {"train": Weighted(), "test": PAIRS},
    "weighted_test": {"train": PAIRS, "test": Weighted()},
    "mapping": {"train": PAIRS, "test": PAIRS, "collate": lambda rows: {"x": PAIRS[0], "y": PAIRS[1]}},
    "outputs": {"model": Named(), "loss": lambda o, t: o["classes"].sum(), "metrics": ["accuracy"]},
}


def invalid(what: str) -> Task:
    """Return the task with the mistake `what`."""
    return _task(**MISTAKES[what])


def exits(code: int = 7) -> Task:
    """Exit, as a script does."""
    sys.exit(code)


def refuses(hidden: int = 3) -> Task:
    """Raise an error for a parameter."""
    if hidden > 2:
        raise ValueError("hidden must be 1 or 2")
    return _task()
