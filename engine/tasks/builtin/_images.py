"""Shared by the tasks on colour images: pixels stored as bytes, the usual augmentation, a torchvision ResNet."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class Pixels(nn.Module):
    """Normalise images of uint8 (N, 3, H, W) on the device, which takes a quarter of the memory of float32 data."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Take the `mean` and `std` of each channel, on the scale 0 to 1."""
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1) * 255, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the normalised images (N, 3, H, W) of float32."""
        return (images - self.mean) / self.std


def crop(images: Tensor, padding: int, *, flip: bool) -> Tensor:
    """Shift each image of (N, C, H, W) by up to `padding` pixels at random; with `flip` mirror half of them.

    The border is filled with zeros. For a whole batch at once, this is torchvision's RandomCrop with padding and
    RandomHorizontalFlip, as in He et al. 2016.
    """
    count, channels, height, width = images.shape
    device = images.device
    shifts = torch.randint(0, 2 * padding + 1, (2, count, 1), device=device)
    rows = shifts[0] + torch.arange(height, device=device)
    columns = shifts[1] + torch.arange(width, device=device)
    if flip:
        columns = torch.where(torch.rand(count, 1, device=device) < 0.5, columns.flip(1), columns)
    padded = functional.pad(images, (padding,) * 4)
    numbers = torch.arange(count, device=device).view(-1, 1, 1, 1)
    planes = torch.arange(channels, device=device).view(1, -1, 1, 1)
    return padded[numbers, planes, rows.view(count, 1, -1, 1), columns.view(count, 1, 1, -1)]


def resnet(name: str) -> tuple[nn.Module, int]:
    """Return torchvision's ResNet for small images, untrained and without its last layer, and its number of features.

    The first layer has stride 1 and no pooling, as in He et al. 2016 on CIFAR-10, because 32 pixels are few.
    """
    from torchvision import models

    model = getattr(models, name)(weights=None)
    model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    model.maxpool = nn.Identity()
    features = model.fc.in_features
    model.fc = nn.Identity()
    return model, features
