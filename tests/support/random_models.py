"""The models, losses and optimizers of random tasks."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.support.inexact_tasks import Centre

FEATURES, CLASSES = 5, 3


class Net(nn.Module):
    """A small model with the given layers."""

    def __init__(self, layers: tuple[str, ...]) -> None:
        super().__init__()
        self.kinds = layers
        self.first, self.last = nn.Linear(FEATURES, 6), nn.Linear(6, CLASSES)
        self.norm = nn.BatchNorm1d(6) if {"norm", "frozen_norm"} & {*layers} else None
        if "frozen_norm" in layers and self.norm is not None:
            self.norm.eval()
        self.table = nn.Embedding(7, 6, max_norm=0.5) if "embedding" in layers else None
        self.gru = nn.GRU(6, 6, num_layers=2, dropout=0.2) if "gru" in layers else None
        if "weight_norm" in layers:
            nn.utils.parametrizations.weight_norm(self.last)
        if "spectral_norm" in layers:
            nn.utils.parametrizations.spectral_norm(self.first)
        if "hook" in layers:
            self.first.weight.register_hook(lambda grad: grad * random.uniform(0.9, 1.1))
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(6), persistent=False)
        self.hidden = torch.zeros(6)
        self.seen = 0

    def train(self, mode: bool = True) -> Net:
        super().train(mode)
        if "frozen_norm" in self.kinds and self.norm is not None:
            self.norm.eval()
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        x = torch.relu(self.first(inputs))
        if self.norm is not None and (len(x) > 1 or not self.norm.training):
            x = self.norm(x)
        if self.table is not None:
            x = x + self.table((inputs[:, 0].abs() * 5).long() % 7)
        if self.gru is not None:
            x = self.gru(x[None])[0][0]
        if "dropout" in self.kinds:
            x = nn.functional.dropout(x, 0.3)  # in evaluation too: Monte-Carlo dropout
        if "numpy" in self.kinds:
            x = x * float(np.random.uniform(0.9, 1.1))
        if "buffer" in self.kinds:
            x = x - self.mean.to(x.dtype)
            self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
        if "hidden" in self.kinds:
            self.seen += 1
            x = x + self.hidden.to(x.dtype) * (1 + self.seen / 50)
            self.hidden = x.detach().mean(0)
        return self.last(x)  # type: ignore[no-any-return]


class Trained(nn.Module):
    """A loss with a weight that the optimizer trains."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.cross_entropy(outputs * self.scale, targets)


class Centred(Centre):
    """A loss with a buffer that it moves."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.centre: Tensor
        self.register_buffer("centre", torch.zeros(CLASSES))


def _noisy(outputs: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.cross_entropy(outputs + 0.1 * torch.randn_like(outputs) * random.random(), targets)


def loss_of(kind: str) -> Any:
    return {
        "cross_entropy": nn.CrossEntropyLoss,
        "smoothed": lambda: nn.CrossEntropyLoss(label_smoothing=0.1),
        "trained": Trained,
        "centred": Centred,
        "attribute": Centre,
        "noisy": lambda: _noisy,
    }[kind]()


class Langevin(torch.optim.Optimizer):
    """Gradient steps with noise, drawn from numpy and torch."""

    def __init__(self, parameters: Any, lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.add_(p.grad + 0.01 * torch.randn_like(p) * float(np.random.rand()), alpha=-group["lr"])
