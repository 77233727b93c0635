"""Street numbers of up to six digits: one CNN with six heads of eleven classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..task import Task

if TYPE_CHECKING:
    from ._street_data import Found

MEAN, STD = (0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970)  # of each channel of SVHN, 0 to 1
SHIFT = 2  # pixels by which a training image is shifted at most


def svhn(body: Literal["cnn", "resnet18"] = "cnn", dropout: float = 0.3) -> Task:
    """Street numbers of up to six digits, 32×64: six heads read a whole number. Without data: composed numbers."""
    from torch import nn
    from torchmetrics.classification import MulticlassExactMatch

    from ._images import Pixels, crop
    from ._street_data import PLACES
    from ._street_model import CLASSES, PlaceAccuracy, StreetNumbers

    found = load_or_compose()
    return Task(
        model=nn.Sequential(Pixels(MEAN, STD), StreetNumbers(body, dropout)),
        train=found.train,
        test=found.test,
        val=found.val,
        # For outputs (N, 11, 6) this is the mean of the six heads' losses.
        loss=nn.CrossEntropyLoss(),
        metrics={"accuracy": MulticlassExactMatch(CLASSES, validate_args=False), "place": PlaceAccuracy(PLACES)},
        # Not mirrored: a mirrored digit is not a digit.
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
            # On a CPU a step takes 70 % of the time that it takes without.
            "channels_last": True,
        },
    )


def load_or_compose() -> Found:
    """Return the street numbers in the data folder, or else composed ones with a note that says so.

    Raises RequestError for damaged files.
    """
    from ...data.download import data_folder
    from ._composed import compose
    from ._street_data import Found, load

    found = load()
    if found is not None:
        return found
    note = "these are composed from scikit-learn's handwritten digits, not photographs"
    return Found(*compose(), note=f"no street numbers in {data_folder()}: {note}")
