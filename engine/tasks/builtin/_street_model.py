"""A network that reads a whole street number at once (after Goodfellow et al. 2014), and the accuracy of each place."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from ._images import resnet
from ._street_data import HEIGHT, PLACES, WIDTH

CLASSES = 11  # ten digits and the blank


class StreetNumbers(nn.Module):
    """Map images (N, 3, 32, 64) to logits (N, 11, 6): of each class, at each place."""

    def __init__(self, body: str, dropout: float) -> None:
        """Build six heads on a body: `cnn`, or the name of a ResNet of torchvision. `dropout` is 0 to 1."""
        super().__init__()
        if body == "cnn":
            layers = [*_block(3, 24, 2), *_block(24, 48), *_block(48, 48, 2), *_block(48, 96), *_block(96, 96, 2)]
            # Flattened, not averaged: each head needs the position of its digit.
            self.body: nn.Module = nn.Sequential(*layers, nn.Flatten())
            features = 96 * (HEIGHT // 8) * (WIDTH // 8)
        else:
            self.body, features = resnet(body)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleList(nn.Linear(features, CLASSES) for _ in range(PLACES))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (N, 11, 6)."""
        features = self.dropout(self.body(images))
        return torch.stack([head(features) for head in self.heads], dim=2)


class PlaceAccuracy(Metric):
    """The accuracy of each place; `1` is the leftmost. A blank that is predicted as blank counts as right."""

    higher_is_better = True
    right: Tensor
    count: Tensor

    def __init__(self, places: int) -> None:
        """Compare outputs (N, classes, places) with targets (N, places)."""
        super().__init__()
        self.add_state("right", torch.zeros(places, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Add one batch."""
        self.right += (outputs.argmax(1) == targets).sum(0)
        self.count += len(targets)

    def compute(self) -> dict[str, Tensor]:
        """Return the accuracy () of each place by its number."""
        return {str(place): share for place, share in enumerate(self.right / self.count, 1)}


def _block(before: int, after: int, pool: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU(), *([nn.MaxPool2d(pool)] if pool > 1 else [])]
