"""Compose street numbers from scikit-learn's handwritten digits, for machines without the photographs of SVHN."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ._street_data import BLANK, HEIGHT, PLACES, WIDTH

SEED = 0  # the data do not depend on the run's seed
TRAIN, TEST = 24_000, 2_000  # numbers of images
LENGTHS = (0.15, 0.49, 0.25, 0.06, 0.03, 0.02)  # shares of the lengths 1 to 6: as in SVHN, with more long numbers


def compose() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return the training and the test part, each (images (N, 3, 32, 64) of uint8, digits (N, 6) of int64).

    No scan of a digit is in both parts.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    scans = load_digits()
    split = train_test_split(scans.images / 16, scans.target, test_size=0.2, random_state=SEED, stratify=scans.target)
    generator = np.random.default_rng(SEED)
    return _numbers(split[0], split[2], TRAIN, generator), _numbers(split[1], split[3], TEST, generator)


def _numbers(scans: np.ndarray, digits: np.ndarray, count: int, draw: np.random.Generator) -> tuple[Tensor, Tensor]:
    inks = np.zeros((count, HEIGHT, WIDTH), np.float32)
    labels = np.full((count, PLACES), BLANK)
    lengths = draw.choice(np.arange(1, PLACES + 1), size=count, p=LENGTHS)
    for number, length in enumerate(lengths):
        chosen = draw.integers(0, len(scans), length)
        labels[number, :length] = digits[chosen]
        # The number fills the image up to a margin, like a photograph cropped to the boxes of its digits.
        left, right = (int(margin) for margin in draw.integers(2, 9, 2))
        width = (WIDTH - left - right) // length
        height = int(draw.integers(18, 27))
        top = int(draw.integers(2, HEIGHT - height - 1))
        row = functional.interpolate(torch.from_numpy(scans[chosen]).float()[:, None], (height, width), mode="bilinear")
        for place, ink in enumerate(row[:, 0].numpy()):
            down = top + int(draw.integers(-2, 3))
            start = left + place * width
            inks[number, down : down + height, start : start + width] = ink
    return _coloured(inks, draw), torch.from_numpy(labels)


def _coloured(inks: np.ndarray, draw: np.random.Generator) -> Tensor:
    """Return images (N, 3, 32, 64) of the inks (N, 32, 64), 0 to 1: random ink and ground colours, and noise.

    The two colours of an image differ by at least 0.35 in every channel.
    """
    count = len(inks)
    ground = draw.uniform(0, 1, (count, 3, 1, 1)).astype(np.float32)
    away = draw.uniform(0.35, 0.6, (count, 3, 1, 1)).astype(np.float32)
    colour = np.where(ground.mean(1, keepdims=True) < 0.5, ground + away, ground - away)
    pictures = ground + (colour - ground) * inks[:, None]
    pictures += draw.normal(0, 0.05, pictures.shape).astype(np.float32)
    return torch.from_numpy((pictures.clip(0, 1) * 255).astype(np.uint8))
