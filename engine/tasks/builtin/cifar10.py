"""CIFAR-10: 60,000 colour images of 32×32 pixels in ten classes; a small CNN, or a ResNet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..task import Task

if TYPE_CHECKING:
    from torch import Tensor, nn

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of each channel of the training data, 0 to 1
PADDING = 4  # pixels by which the random crop shifts an image at most


def cifar10(body: Literal["cnn", "resnet18"] = "cnn", dropout: float = 0.2) -> Task:
    """CIFAR-10's images, 32×32: random crops and flips, six convolutions or a ResNet. Downloads 170 MB once."""
    from torch import nn

    from ._images import Pixels, crop, resnet

    train, test, classes = load()
    if body == "cnn":
        layers = [layer for before, after in ((3, 32), (32, 64), (64, 128)) for layer in _block(before, after)]
        features = 512
        model: nn.Module = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten())
    else:
        model, features = resnet(body)
    return Task(
        model=nn.Sequential(Pixels(MEAN, STD), model, nn.Dropout(dropout), nn.Linear(features, 10)),
        train=train,
        test=test,
        loss=nn.CrossEntropyLoss(),
        metrics=["accuracy", "f1"],
        augment=lambda images: crop(images, PADDING, flip=True),
        classes=classes,
        settings={
            "epochs": 30,
            "batch_size": 128,
            "lr": 0.1,
            "optimizer": "sgd:momentum=0.9,weight_decay=0.0005,nesterov=true",
            "scheduler": "onecycle",
            "monitor": "accuracy",
            # On a CPU a step takes 80 % of the time that it takes without.
            "channels_last": True,
        },
    )


def load() -> tuple[tuple[Tensor, ...], tuple[Tensor, ...], list[str]]:
    """Return the training part, the test part and the names of the classes.

    A part is (images (N, 3, 32, 32) of uint8, classes (N,) of int64). Raises RequestError for missing or damaged
    files.
    """
    import torch
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import extract_archive

    from ...data.download import Remote, data_folder, reading, require

    folder = data_folder()
    unpacked, packed = folder / CIFAR10.base_folder, folder / CIFAR10.filename
    file = Remote(CIFAR10.filename, (CIFAR10.url,), CIFAR10.tgz_md5)
    require("cifar10", [file], folder, lambda _: unpacked.is_dir() or packed.exists())
    with reading("cifar10", unpacked):
        if not unpacked.is_dir():
            extract_archive(str(packed), str(folder))
        parts = [CIFAR10(folder, train=train) for train in (True, False)]
    train, test = ((torch.from_numpy(p.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(p.targets)) for p in parts)
    return train, test, list(parts[0].classes)


def _block(before: int, after: int) -> list[nn.Module]:
    from torch import nn

    layers: list[nn.Module] = []
    for channels in (before, after):
        layers += [nn.Conv2d(channels, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return [*layers, nn.MaxPool2d(2)]
