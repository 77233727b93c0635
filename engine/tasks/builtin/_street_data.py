"""Street numbers from the forms that people have them in: PNG files with a JSON file, or torchvision's SVHN."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from PIL import Image
from torch import Tensor

from ...data.download import data_folder, reading, tell
from ...errors import RequestError

PLACES, BLANK = 6, 10
HEIGHT, WIDTH = 32, 64
MARGIN = 0.15  # of the box's size, on each side; Goodfellow et al. 2014 expand it by 30 %
NAMES = ("mchar_{}", "{}")
READ_APART = 5000  # pictures between two lines of progress

Pair = tuple[Tensor, Tensor]
"""Pictures (N, 3, 32, 64) as bytes, and digits (N, 6) with 10 for no digit."""


class Annotation(msgspec.Struct):
    """The digits of one picture from left to right, and the box around each in pixels."""

    label: list[int]
    left: list[float] = []
    top: list[float] = []
    width: list[float] = []
    height: list[float] = []


@dataclass
class Found:
    """What there is to train and to evaluate on."""

    train: Pair
    test: Pair | None
    val: Pair | None = None
    note: str = ""


def load() -> Found:
    """Return the street numbers in the data folder, or in `svhn` in it; composed ones where there are none.

    `train/*.png` with `train.json` (and `val`, `test`; also `mchar_train` and so on) come first, then torchvision's
    `train_32x32.mat` and `test_32x32.mat`. Raises RequestError for files that are not as they should be.
    """
    folder = data_folder()
    for root in (folder, folder / "svhn", folder / "SVHN"):
        parts = {part: path for part in ("train", "val", "test") if (path := _annotated(root, part)) is not None}
        if "train" in parts:
            pairs = {part: read_folder(path) for part, path in parts.items()}
            # With one evaluation part, that is the one to evaluate on.
            test, val = (pairs["test"], pairs.get("val")) if "test" in pairs else (pairs.get("val"), None)
            return Found(pairs["train"], test, val)
        if (root / "train_32x32.mat").exists():
            return Found(read_torchvision(root, "train"), read_torchvision(root, "test"))
    from ._composed import compose

    note = f"no street numbers in {folder}: these are composed from scikit-learn's handwritten digits, not photographs"
    return Found(*compose(), note=note)


def read_folder(path: Path) -> Pair:
    """Read the pictures that the JSON file at `path` annotates, in the folder of its name. Raises RequestError."""
    try:
        entries = json.loads(path.read_text())
        annotations = msgspec.convert(entries, dict[str, Annotation])
    except (OSError, ValueError) as error:
        raise RequestError(f"{path} is no file of street numbers: {error}") from error
    folder = path.with_suffix("")
    labels = torch.full((len(annotations), PLACES), BLANK)
    for number, (name, found) in enumerate(annotations.items()):
        if not 0 < len(found.label) <= PLACES or not all(0 <= digit <= 9 for digit in found.label):
            raise RequestError(f"{path}: {name} is labelled {found.label}; a label is 1 to {PLACES} digits of 0 to 9")
        labels[number, : len(found.label)] = torch.tensor(found.label)
    pictures = torch.empty(len(annotations), 3, HEIGHT, WIDTH, dtype=torch.uint8)
    # Decoding and resizing let go of the interpreter's lock.
    with ThreadPoolExecutor() as pool:
        read = pool.map(lambda item: _picture(folder / item[0], item[1]), annotations.items())
        for number, picture in enumerate(read):
            pictures[number] = picture
            if (number + 1) % READ_APART == 0:
                tell(f"reading {folder.name}: {number + 1} of {len(annotations)} pictures")
    return pictures, labels


def read_torchvision(root: Path, split: str) -> Pair:
    """Read torchvision's SVHN, one digit a picture of 32×32 pixels. Raises RequestError."""
    from torchvision.datasets import SVHN

    with reading("svhn", root):
        found = SVHN(root, split=split)
    pictures = torch.from_numpy(found.data)
    # In the middle of the wider picture, its edges repeated.
    side = (WIDTH - pictures.shape[3]) // 2
    pictures = torch.nn.functional.pad(pictures.float(), (side, side, 0, 0), mode="replicate").byte()
    labels = torch.full((len(pictures), PLACES), BLANK)
    labels[:, 0] = torch.from_numpy(found.labels)
    return pictures, labels


def _annotated(root: Path, part: str) -> Path | None:
    for name in NAMES:
        path = root / f"{name.format(part)}.json"
        if path.is_file() and path.with_suffix("").is_dir():
            return path
    return None


def _picture(path: Path, found: Annotation) -> Tensor:
    """Return one picture (3, 32, 64), cut to its number where the boxes are known."""
    try:
        with Image.open(path) as file:
            image = file.convert("RGB")
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error}") from error
    if found.left and len(found.left) == len(found.top) == len(found.width) == len(found.height):
        image = image.crop(_box(found))
    image = image.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    return torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view(HEIGHT, WIDTH, 3).permute(2, 0, 1)


def _box(found: Annotation) -> Any:
    left, top = min(found.left), min(found.top)
    right = max(x + width for x, width in zip(found.left, found.width, strict=True))
    bottom = max(y + height for y, height in zip(found.top, found.height, strict=True))
    wide, high = MARGIN * (right - left), MARGIN * (bottom - top)
    return round(left - wide), round(top - high), round(right + wide), round(bottom + high)
