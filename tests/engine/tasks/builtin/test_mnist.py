"""MNIST: its files, its network, and what that learns on the real files."""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torchvision.datasets import MNIST

from stoker.engine.data import download
from stoker.engine.errors import RequestError
from stoker.engine.runs.events import Evaluated
from stoker.engine.tasks.builtin.mnist import mnist
from tests.support.in_process import run

real = pytest.mark.skipif(
    not (Path(os.environ.get("STOKER_DATA", "/nowhere")) / "MNIST" / "raw").is_dir(),
    reason="needs the real files in $STOKER_DATA/MNIST/raw",
)


def write_files(folder: Path, rows: int, pack: bool) -> None:
    """Write MNIST's four files in their own format (LeCun et al.), with `rows` pictures each, packed or not."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in ("train", "t10k"):
        images = struct.pack(">IIII", 0x803, rows, 28, 28) + bytes(range(256)) * (rows * 784 // 256 + 1)
        labels = struct.pack(">II", 0x801, rows) + bytes(row % 10 for row in range(rows))
        for kind, content in (("images-idx3", images[: 16 + rows * 784]), ("labels-idx1", labels)):
            path = raw / f"{name}-{kind}-ubyte{'.gz' if pack else ''}"
            path.write_bytes(gzip.compress(content) if pack else content)


@pytest.mark.parametrize("pack", [False, True])
def test_the_files_are_read_packed_or_not(pack: bool, tmp_path: Path) -> None:
    """The pictures are normalised by MNIST's mean and standard deviation."""
    write_files(tmp_path, 20, pack)
    with download.using(str(tmp_path)):
        task = mnist()
    images, digits = task.train
    assert images.shape == (20, 1, 28, 28)
    assert digits.tolist() == [row % 10 for row in range(20)]
    assert images[0, 0, 0, :3].tolist() == pytest.approx([(value / 255 - 0.1307) / 0.3081 for value in range(3)])


def test_the_network_and_the_settings() -> None:
    """Convolutions of 16 and 32 channels, 128 hidden units, dropout, and optional batch norm."""
    layers = [*build(dropout=0.4).model]
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [16, 32]
    assert [layer.out_features for layer in layers if isinstance(layer, nn.Linear)] == [128, 10]
    assert [layer.p for layer in layers if isinstance(layer, nn.Dropout)] == [0.4]
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in layers)
    task = build(batch_norm=True)
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in task.model) == 2
    wanted = {"epochs": 10, "batch_size": 64, "lr": 0.001, "optimizer": "adam", "scheduler": "step:size=5,gamma=0.5"}
    assert {name: task.settings[name] for name in wanted} == wanted


def build(**parameters: Any) -> Any:
    """Build the task without data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stoker.engine.tasks.builtin.mnist.load", lambda: ((), ()))
        return mnist(**parameters)


def test_missing_or_damaged_files_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which files to put where, or which folder is damaged."""
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match=r"put train-images-idx3-ubyte.gz, .* into .*/MNIST/raw, or give --data DIR"):
        run(tmp_path, "mnist", data=str(tmp_path / "empty"))
    write_files(tmp_path / "torn", 20, pack=False)
    file = tmp_path / "torn" / "MNIST" / "raw" / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(RequestError, match="damaged"):
        run(tmp_path, "mnist", data=str(tmp_path / "torn"))


@real
def test_a_hundred_steps_on_the_real_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """6,400 pictures are enough for an accuracy of 0.88."""
    from stoker.engine.tasks.builtin import mnist as module

    train, test = module.load()
    assert (len(train[0]), len(test[0])) == (60_000, 10_000)
    assert train[0].mean().abs() < 0.01
    assert (train[0].std() - 1).abs() < 0.01
    part = tuple(column[:6400] for column in train), tuple(column[:2000] for column in test)
    monkeypatch.setattr(module, "load", lambda: part)
    done = run(tmp_path, "mnist", epochs=1)
    assert done.finished.step == 100
    assert done.finished.test["accuracy"] > 0.88


@real
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_accuracy_on_the_real_files(tmp_path: Path) -> None:
    """It is at least 0.985 after 3 epochs and 0.99 after 10."""
    done = run(tmp_path, "mnist", threads=torch.get_num_threads())
    values = [event.metrics["accuracy"] for event in done.of(Evaluated)]
    assert values[2] >= 0.985
    assert values[9] >= 0.99
