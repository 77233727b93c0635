"""Digits: 1,797 handwritten digits of 8×8 pixels that ship with scikit-learn; a small CNN with dropout."""

from __future__ import annotations

from ..task import Task


def digits(dropout: float = 0.3, channels: int = 32) -> Task:
    """scikit-learn's handwritten digits, 8×8: a small CNN with dropout, in mini-batches."""
    import torch
    from sklearn.datasets import load_digits
    from torch import nn

    scans = load_digits()
    images = torch.from_numpy(scans.images).float().unsqueeze(1) / 16
    return Task(
        model=nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, 2 * channels, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Dropout(dropout),
            nn.Flatten(),
            nn.Linear(2 * channels * 16, 64),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(64, 10),
        ),
        train=(images, torch.from_numpy(scans.target)),
        loss=nn.CrossEntropyLoss(),
        metrics=["accuracy", "f1"],
        classes=[str(name) for name in scans.target_names],
        settings={
            "epochs": 20,
            "batch_size": 32,
            "lr": 0.001,
            "optimizer": "adam",
            "split": "holdout:0.2",
            "monitor": "accuracy",
        },
    )
