"""MNIST: 70,000 handwritten digits of 28×28 pixels; the CNN of a usual tutorial, with its data in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..task import Task

if TYPE_CHECKING:
    from torch import Tensor

MEAN, STD = 0.1307, 0.3081  # of the training data, 0 to 1


def mnist(dropout: float = 0.3, batch_norm: bool = False) -> Task:
    """MNIST's handwritten digits, 28×28: two convolutions, 128 hidden units, dropout. Downloads 11 MB once."""
    from torch import nn

    train, test = load()

    def block(before: int, after: int) -> list[nn.Module]:
        norm = [nn.BatchNorm2d(after)] if batch_norm else []
        return [nn.Conv2d(before, after, 3, padding=1), *norm, nn.ReLU(), nn.MaxPool2d(2)]

    return Task(
        model=nn.Sequential(
            *block(1, 16),
            *block(16, 32),
            nn.Flatten(),
            nn.Linear(32 * 7 * 7, 128),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(128, 10),
        ),
        train=train,
        test=test,
        loss=nn.CrossEntropyLoss(),
        metrics=["accuracy", "f1"],
        classes=[str(digit) for digit in range(10)],
        settings={
            "epochs": 10,
            "batch_size": 64,
            "lr": 0.001,
            "optimizer": "adam",
            "scheduler": "step:size=5,gamma=0.5",
            "monitor": "accuracy",
            # On a CPU an epoch takes 75 % of the time that it takes without.
            "channels_last": True,
        },
    )


def load() -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Return the training and the test part: (images (N, 1, 28, 28) of float32, normalised; digits (N,) of int64).

    Raises RequestError for missing or damaged files.
    """
    from torchvision.datasets import MNIST

    from ...data.download import Remote, data_folder, reading, require, unpack

    folder = data_folder()
    raw = folder / "MNIST" / "raw"
    files = [Remote(name, tuple(mirror + name for mirror in MNIST.mirrors), md5) for name, md5 in MNIST.resources]
    unpacked = {file: raw / file.name.removesuffix(".gz") for file in files}
    require("mnist", files, raw, lambda file: unpacked[file].exists() or (raw / file.name).exists())
    with reading("mnist", raw):
        for file, path in unpacked.items():
            if not path.exists():
                unpack(raw / file.name)
        parts = [MNIST(folder, train=train) for train in (True, False)]
    # Normalised once, in memory, instead of image by image in every epoch.
    train, test = (((part.data.unsqueeze(1) / 255 - MEAN) / STD, part.targets) for part in parts)
    return train, test
