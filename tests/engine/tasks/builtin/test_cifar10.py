"""CIFAR-10: its files, and the usual augmentation for a whole batch at once."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10

from stoker.engine.data import download
from stoker.engine.errors import RequestError
from stoker.engine.tasks.builtin._images import Pixels, crop
from stoker.engine.tasks.builtin.cifar10 import MEAN, STD, cifar10
from tests.support.in_process import run

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of small files in CIFAR-10's format: pickled rows of 3072 bytes, red, green, blue."""
    folder = tmp_path / "data"
    (folder / CIFAR10.base_folder).mkdir(parents=True)
    draw = np.random.default_rng(0)

    def write(name: str, content: Any) -> str:
        path = folder / CIFAR10.base_folder / name
        path.write_bytes(pickle.dumps(content))
        return hashlib.md5(path.read_bytes()).hexdigest()

    def batch(name: str) -> list[str]:
        rows = draw.integers(0, 256, (20, 3072)).astype(np.uint8)
        return [name, write(name, {"data": rows, "labels": [row % 10 for row in range(20)]})]

    # torchvision knows the checksums of the published files.
    monkeypatch.setattr(CIFAR10, "train_list", [batch(f"data_batch_{number}") for number in range(1, 6)])
    monkeypatch.setattr(CIFAR10, "test_list", [batch("test_batch")])
    meta = {"label_names": NAMES}
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": write("batches.meta", meta)})
    return folder


def test_the_files_are_read_as_by_torchvision(files: Path, tmp_path: Path) -> None:
    """As bytes (N, channels, height, width); a run trains on them."""
    with download.using(str(files)):
        task = cifar10()
    images, classes = task.train
    whole = CIFAR10(files, train=True)
    assert images.shape == (100, 3, 32, 32)
    assert np.array_equal(images.permute(0, 2, 3, 1).numpy(), whole.data)
    assert classes.tolist() == whole.targets
    assert task.classes == NAMES
    done = run(tmp_path, "cifar10", epochs=1, data=str(files))
    assert done.finished.cause == "completed"
    assert set(done.finished.test) == {"loss", "accuracy", "f1"}


def test_missing_or_damaged_files_are_reported(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line each."""
    (files / CIFAR10.base_folder / "data_batch_3").write_bytes(b"torn")
    with pytest.raises(RequestError, match=r"cifar10: the files in .* are damaged"):
        run(tmp_path, "cifar10", data=str(files))
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(CIFAR10, "url", "http://127.0.0.1:9/")
    with pytest.raises(RequestError, match=r"put cifar-10-python.tar.gz into .*/empty, or give --data DIR"):
        run(tmp_path, "cifar10", data=str(tmp_path / "empty"))


def test_every_picture_is_cropped_and_mirrored_alone() -> None:
    """Each is a window of its padded original, mirrored in half of the cases; all shifts occur."""
    images = torch.randint(1, 255, (200, 3, 8, 8), dtype=torch.uint8)
    torch.manual_seed(0)
    changed = crop(images, 2, flip=True)
    assert changed.dtype == torch.uint8
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2))
    seen: set[tuple[int, int]] = set()
    mirrored = 0
    for before, after in zip(padded, changed, strict=True):
        found = [
            (y, x, turned)
            for y in range(5)
            for x in range(5)
            for turned in (False, True)
            if torch.equal(after.flip(2) if turned else after, before[:, y : y + 8, x : x + 8])
        ]
        assert len(found) == 1
        seen.add(found[0][:2])
        mirrored += found[0][2]
    assert len(seen) == 25
    assert 70 < mirrored < 130


def test_no_picture_is_mirrored_without_flip() -> None:
    """As for digits, which a mirror would change."""
    images = torch.arange(8, dtype=torch.uint8).expand(50, 3, 8, 8).contiguous()
    rows = crop(images, 2, flip=False)[:, 0, 4].int()
    assert (rows.diff(dim=1) >= -7).all()
    inside = rows[:, 2:6]
    assert (inside.diff(dim=1) == 1).float().mean() > 0.9


def test_pixels_are_normalised_on_the_device() -> None:
    """By the mean and standard deviation of each channel, which are not in the state_dict."""
    layer = Pixels(MEAN, STD)
    images = torch.randint(0, 256, (4, 3, 5, 5), dtype=torch.uint8)
    wanted = (images.float() / 255 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    assert torch.allclose(layer(images), wanted, atol=1e-5)
    assert not layer.state_dict()


def test_a_resnet_is_an_option(files: Path) -> None:
    """Its first layer keeps the resolution."""
    with download.using(str(files)):
        task = cifar10(body="resnet18")
    assert task.model[1].conv1.stride == (1, 1)
    assert task.model(task.train[0][:2]).shape == (2, 10)
