"""The task: two inputs, two heads, two losses."""

import torch
from torch import nn

from stoker.engine import Task

from . import engine


class TwoHeads(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, width), nn.ReLU())
        self.sums, self.products = nn.Linear(width, 1), nn.Linear(width, 1)

    def forward(self, a, b):
        features = self.body(torch.stack([a, b], dim=1))
        return self.sums(features).squeeze(1), self.products(features).squeeze(1)


def groups(model, lr):
    return torch.optim.Adam([{"params": part.parameters()} for part in model.children()], lr=lr)


def adding(width: int = 16, count: int = 128) -> Task:
    """Learns to add and to multiply."""
    train, test = engine.data(count)
    return Task(
        model=TwoHeads(width),
        train=train,
        test=test,
        step=engine.step,
        evaluate=engine.evaluate,
        metrics=["mae"],
        optimizer=groups,
        settings={"epochs": 10, "batch_size": 16, "lr": 0.02, "monitor": "mae"},
    )
