"""Iris: 150 flowers, four measurements, three species; a small MLP trained on the full batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..task import Task

if TYPE_CHECKING:
    from torch import Tensor


def iris(hidden: int = 10) -> Task:
    """Fisher's irises: an MLP 4-hidden-3 on the full batch, with early stopping."""
    import torch
    from sklearn.datasets import load_iris
    from torch import nn

    flowers = load_iris()
    return Task(
        model=nn.Sequential(nn.Linear(4, hidden), nn.ReLU(), nn.Linear(hidden, 3)),
        train=(torch.from_numpy(flowers.data), torch.from_numpy(flowers.target)),
        loss=nn.CrossEntropyLoss(),
        metrics=["accuracy"],
        prepare=learn_scaling,
        classes=[str(name) for name in flowers.target_names],
        settings={
            "epochs": 20_000,
            "batch_size": None,
            "lr": 0.01,
            "optimizer": "sgd",
            "split": "holdout:0.2,stratify=no",
            "eval_every": "200epochs",
            "patience": 50,
        },
    )


def learn_scaling(train: tuple[Tensor, ...]) -> Callable[[tuple[Tensor, ...]], tuple[Tensor, ...]]:
    """Return a min-max scaling to [0, 1], learned from the training part: inputs (N, 4) of float64, species (N,)."""
    import torch
    from sklearn.preprocessing import MinMaxScaler

    scaler = MinMaxScaler().fit(train[0].numpy())

    def scale(part: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return torch.from_numpy(scaler.transform(part[0].numpy())).float(), part[1]

    return scale
