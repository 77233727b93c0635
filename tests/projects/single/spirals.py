"""One file: a dataset, a model and a task."""

import math

import torch
from torch import nn
from torch.utils.data import TensorDataset

from stoker.engine import Task


class Net(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 2)
        )

    def forward(self, points):
        return self.layers(points)


def points(count, noise):
    turns = torch.rand(count) * 1.5 * math.pi + 1
    arm = torch.randint(0, 2, (count,))
    angle = turns + arm * math.pi
    where = torch.stack([turns * angle.cos(), turns * angle.sin()], dim=1) / 5
    return TensorDataset(where + noise * torch.randn(count, 2), arm)


def spirals(hidden: int = 32, noise: float = 0.02, fail: bool = False) -> Task:
    """Two interleaved spirals."""
    if fail:
        raise ValueError("no spirals today")
    return Task(
        model=Net(hidden),
        train=points(400, noise),
        test=points(100, noise),
        loss=nn.CrossEntropyLoss(),
        metrics=["accuracy"],
        settings={"epochs": 60, "batch_size": 32, "lr": 0.01, "optimizer": "adam", "monitor": "accuracy"},
    )
