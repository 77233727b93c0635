"""Read street numbers from their two usual formats: PNG files with a JSON file, or torchvision's SVHN."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from PIL import Image
from torch import Tensor

from ...data.download import data_folder, reading, report
from ...errors import RequestError

PLACES = 6  # digits of a number at most
BLANK = 10  # class of a place without a digit
HEIGHT, WIDTH = 32, 64  # pixels
LARGEST = 100_000  # pixels; a larger number is no place in a photograph, and a crop of it would fill the memory
MARGIN = 0.15  # share of the box's size added on each side; 30 % in all, as in Goodfellow et al. 2014
NAMES = ("mchar_{}", "{}")  # names of the folder and the JSON file of a part
LOG_INTERVAL = 5000  # images between two lines of progress

Pair = tuple[Tensor, Tensor]
"""Images (N, 3, 32, 64) of uint8, and digits (N, 6) of int64 with 10 for no digit."""


class Annotation(msgspec.Struct):
    """The digits of one image from left to right, and the box around each in pixels."""

    label: list[int]
    left: list[float] = []
    top: list[float] = []
    width: list[float] = []
    height: list[float] = []


@dataclass
class Found:
    """The data for `Task`."""

    train: Pair
    test: Pair | None
    val: Pair | None = None
    note: str = ""
    """A remark for the start of the run; empty for photographs."""


def load() -> Found | None:
    """Return the street numbers in the data folder or its folder `svhn`; None if there are none.

    It looks first for `train/*.png` with `train.json` (and `val`, `test`; also `mchar_train` and so on), then for
    torchvision's `train_32x32.mat` and `test_32x32.mat`. Raises RequestError for damaged files.
    """
    folder = data_folder()
    for root in (folder, folder / "svhn", folder / "SVHN"):
        parts = {part: path for part in ("train", "val", "test") if (path := _annotated(root, part)) is not None}
        if "train" in parts:
            pairs = {part: read_folder(path) for part, path in parts.items()}
            # A `val` without a `test` is the test data.
            test, val = (pairs["test"], pairs.get("val")) if "test" in pairs else (pairs.get("val"), None)
            return Found(pairs["train"], test, val)
        if (root / "train_32x32.mat").exists():
            return Found(read_torchvision(root, "train"), read_torchvision(root, "test"))
    return None


def read_folder(path: Path) -> Pair:
    """Read the JSON file at `path` and the images in the folder of the same name. Raises RequestError."""
    try:
        entries = json.loads(path.read_text())
        annotations = msgspec.convert(entries, dict[str, Annotation])
    except (OSError, ValueError) as error:
        raise RequestError(f"{path} is not a file of street numbers: {error}") from error
    folder = path.with_suffix("")
    labels = torch.full((len(annotations), PLACES), BLANK)
    for number, (name, found) in enumerate(annotations.items()):
        if not 0 < len(found.label) <= PLACES or not all(0 <= digit <= 9 for digit in found.label):
            raise RequestError(
                f"{path}: {name} is labelled {found.label}; a label must be 1 to {PLACES} digits of 0 to 9"
            )
        if problem := _wrong_boxes(found):
            raise RequestError(f"{path}: {name} has a box with {problem}; a box must lie within {LARGEST} pixels")
        labels[number, : len(found.label)] = torch.tensor(found.label)
    pictures = torch.empty(len(annotations), 3, HEIGHT, WIDTH, dtype=torch.uint8)
    # In threads, because decoding and resizing release the interpreter's lock.
    with ThreadPoolExecutor() as pool:
        read = pool.map(lambda item: _picture(folder / item[0], item[1]), annotations.items())
        for number, picture in enumerate(read):
            pictures[number] = picture
            if (number + 1) % LOG_INTERVAL == 0:
                report(f"reading {folder.name}: {number + 1} of {len(annotations)} images")
    return pictures, labels


def read_torchvision(root: Path, split: str) -> Pair:
    """Read torchvision's SVHN, images of one digit and 32×32 pixels. Raises RequestError."""
    from torchvision.datasets import SVHN

    with reading("svhn", root):
        found = SVHN(root, split=split)
    pictures = torch.from_numpy(found.data)
    # In the middle of the wider image; the edges are repeated to its sides.
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
    """Return one image (3, 32, 64) of uint8, cropped to its number if the boxes are known."""
    try:
        with Image.open(path) as file:
            image = file.convert("RGB")
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error}") from error
    if found.left and len(found.left) == len(found.top) == len(found.width) == len(found.height):
        image = image.crop(_box(found))
    image = image.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    return torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view(HEIGHT, WIDTH, 3).permute(2, 0, 1)


def _wrong_boxes(found: Annotation) -> str:
    """Return what is wrong with the boxes of an image; empty if they are right."""
    for name in ("left", "top", "width", "height"):
        for value in getattr(found, name):
            if not math.isfinite(value) or abs(value) > LARGEST:
                return f"{name} {value}"
            if value <= 0 and name in ("width", "height"):
                return f"{name} {value}"
    return ""


def _box(found: Annotation) -> Any:
    left, top = min(found.left), min(found.top)
    right = max(x + width for x, width in zip(found.left, found.width, strict=True))
    bottom = max(y + height for y, height in zip(found.top, found.height, strict=True))
    wide, high = MARGIN * (right - left), MARGIN * (bottom - top)
    return round(left - wide), round(top - high), round(right + wide), round(bottom + high)
