"""Street numbers of up to six characters: six heads of eleven classes over one CNN."""

from __future__ import annotations

from typing import Literal

from ..task import Task

MEAN, STD = (0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970)
SHIFT = 2  # pixels that a training picture is moved by at most


def svhn(body: Literal["cnn", "resnet18"] = "cnn", dropout: float = 0.3) -> Task:
    """Street numbers of up to six digits, 32×64: whole numbers read at once. Without data: composed ones."""
    from torch import nn
    from torchmetrics.classification import MulticlassExactMatch

    from ._images import Pixels, crop
    from ._street_data import PLACES, load
    from ._street_model import CLASSES, PlaceAccuracy, StreetNumbers

    found = load()
    return Task(
        model=nn.Sequential(Pixels(MEAN, STD), StreetNumbers(body, dropout)),
        train=found.train,
        test=found.test,
        val=found.val,
        # Of outputs (N, 11, 6) it is the mean of the six heads' losses.
        loss=nn.CrossEntropyLoss(),
        metrics={"accuracy": MulticlassExactMatch(CLASSES, validate_args=False), "place": PlaceAccuracy(PLACES)},
        # Not mirrored: a mirrored digit is none.
        augment=lambda images: crop(images, SHIFT, flip=False),
        classes=[*(str(digit) for digit in range(10)), "blank"],
        note=found.note,
        settings={
            "epochs": 8,
            "batch_size": 64,
            "lr": 0.002,
            "optimizer": "adam",
            "scheduler": "onecycle",
            "monitor": "accuracy",
            # On a CPU a step takes seven tenths of the time that it takes without.
            "channels_last": True,
        },
    )
