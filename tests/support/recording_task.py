"""A task whose model records its inputs, with each kind of training data."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from stoker.engine import Task


class RecordingModel(nn.Module):
    """A small network for images that records each call."""

    log: list[dict[str, Any]] = []

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))

    def forward(self, images: Tensor) -> Tensor:
        outputs: Tensor = self.layers(images)
        if not torch.compiler.is_compiling():
            weight: Any = self.layers[0].weight
            self.log.append(
                {
                    "training": self.training,
                    "size": len(images),
                    "dtype": outputs.dtype,
                    "channels_last": weight.is_contiguous(memory_format=torch.channels_last),
                    "first": float(images[0].sum()),
                    "threads": torch.get_num_threads(),
                }
            )
        return outputs


def data(rows: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return images (N, 2, 6, 6) and classes (N) that follow from them."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(rows, 2, 6, 6, generator=generator)
    return images, (images[:, 0].mean((1, 2)) * 6 + 1.5).clamp(0, 2).long()


def recording(loader: bool = False, scale: float = 1.0, shift: bool = False) -> Task:
    """A task whose model records its inputs."""
    RecordingModel.log = []
    train: Any = data(40, 1)
    if loader:
        train = DataLoader(TensorDataset(*train), batch_size=10, shuffle=True, drop_last=True)
    return Task(
        model=RecordingModel(),
        train=train,
        test=data(20, 2),
        loss=ScaledCrossEntropy(scale) if scale != 1 else nn.CrossEntropyLoss(),
        metrics=["accuracy", "f1"],
        augment=(lambda images: images + torch.rand(1)) if shift else None,
        settings={"epochs": 2, "batch_size": 8, "lr": 0.1},
    )


class ScaledCrossEntropy(nn.Module):
    """A cross-entropy multiplied by `scale`, and so its gradients."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.cross_entropy(outputs, targets) * self.scale


class Stream(IterableDataset[Any]):
    """Yields the rows in order."""

    def __iter__(self) -> Any:
        return zip(*data(40, 1), strict=True)


class Rows(Dataset[Any]):
    """Holds the same rows for a loader without shuffling."""

    def __len__(self) -> int:
        return 40

    def __getitem__(self, row: int) -> Any:
        return tuple(column[row] for column in data(40, 1))


def in_order(stream: bool) -> Task:
    """A task that trains on the rows in order, from a stream or a loader, whatever the batch size."""
    rows = Stream() if stream else None
    task = recording()
    task.train = rows if stream else DataLoader(Rows(), shuffle=False)
    return task
