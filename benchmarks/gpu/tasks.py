"""Tasks for a GPU: convolutions, attention, a loss that is not finite, and steps that keep the device busy."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stoker.engine import Task

CLASSES = 10


def _labelled(inputs: Tensor) -> tuple[Tensor, Tensor]:
    return inputs, inputs.flatten(1)[:, :CLASSES].argmax(1)


def images(rows: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return images (N, 3, 16, 16) and classes (N)."""
    return _labelled(torch.randn(rows, 3, 16, 16, generator=torch.Generator().manual_seed(seed)))


def convolution(rows: int = 512) -> Task:
    """A small convolutional network with batch norm, both kinds of pooling, and dropout."""
    model = nn.Sequential(
        *(nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(2)),
        *(nn.Flatten(), nn.Dropout(0.3), nn.Linear(256, CLASSES)),
    )
    return _task(model, images(rows, 1), images(rows // 4, 2))


class Encoder(nn.Module):
    """A transformer of one layer over sequences (N, 16, 32)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=True)
        self.out = nn.Linear(32, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs (N, classes)."""
        return self.out(self.encoder(inputs).mean(1))  # type: ignore[no-any-return]


def attention(rows: int = 512) -> Task:
    """A small transformer."""
    parts = (_labelled(torch.randn(n, 16, 32, generator=torch.Generator().manual_seed(n))) for n in (rows, rows // 4))
    return _task(Encoder(), *parts)


def poisoned(rows: int = 512) -> Task:
    """`convolution` with NaN in one image."""
    task = convolution(rows)
    task.train[0][7] = float("nan")
    return task


def busy(width: int = 8192, rows: int = 16384) -> Task:
    """A wide network, whose steps keep a GPU busy much longer than the host."""
    model = nn.Sequential(
        nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, CLASSES)
    )
    task = _task(model, *(_labelled(torch.randn(n, 64)) for n in (rows, 1024)))
    task.settings = {**task.settings, "batch_size": 4096, "eval_every": "1000epochs"}
    return task


def heavy(megabytes: int = 512) -> Task:
    """A small network with frozen parameters of this size."""
    model = nn.Linear(64, CLASSES)
    model.register_parameter("frozen", nn.Parameter(torch.zeros(megabytes << 18), requires_grad=False))
    return _task(model, *(_labelled(torch.randn(n, 64)) for n in (512, 128)))


def _task(model: nn.Module, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]) -> Task:
    settings = {"epochs": 2, "batch_size": 32, "lr": 0.01, "optimizer": "adamw"}
    return Task(
        model=model, train=train, test=test, loss=nn.CrossEntropyLoss(), metrics=["accuracy"], settings=settings
    )
