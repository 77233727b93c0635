"""Street numbers: the file formats, the six heads, and the composed numbers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat
from torch import Tensor
from torchvision.datasets import SVHN

from stoker.engine.data import download
from stoker.engine.errors import RequestError
from stoker.engine.evaluation import checkpoint_evaluation as results
from stoker.engine.runs.events import Evaluated
from stoker.engine.tasks.builtin import _composed, _street_data
from stoker.engine.tasks.builtin._street_model import PlaceAccuracy
from stoker.engine.tasks.builtin.svhn import svhn
from tests.support.in_process import run


def write_folder(folder: Path, part: str, labels: list[list[int]], boxes: bool = True) -> None:
    """Write PNG files and their JSON file: red outside of the number's boxes, green inside."""
    pictures = folder / part
    pictures.mkdir(parents=True)
    entries: dict[str, Any] = {}
    for number, label in enumerate(labels):
        image = np.zeros((50, 120, 3), np.uint8)
        image[:, :, 0] = 255
        image[10:40, 20 : 20 + 12 * len(label)] = (0, 255, 0)
        name = f"{number:06d}.png"
        Image.fromarray(image).save(pictures / name)
        entries[name] = {"label": label}
        if boxes:
            left = [20 + 12 * place for place in range(len(label))]
            entries[name] |= {"left": left, "top": [10] * len(label)}
            entries[name] |= {"width": [12] * len(label), "height": [30] * len(label)}
    (folder / f"{part}.json").write_text(json.dumps(entries))


def load(folder: Path) -> Any:
    """Return the data that the task finds in a folder."""
    with download.using(str(folder)):
        return _street_data.load()


@pytest.mark.parametrize(("inside", "prefix"), [("", ""), ("svhn", "mchar_"), ("SVHN", "")])
def test_pictures_with_json_annotations(inside: str, prefix: str, tmp_path: Path) -> None:
    """Digits from the left, then blanks; the picture is cropped to the boxes and a margin."""
    write_folder(tmp_path / inside, f"{prefix}train", [[1, 9], [2, 0, 3, 4, 5, 6], [7]])
    write_folder(tmp_path / inside, f"{prefix}val", [[5]])
    found = load(tmp_path)
    images, digits = found.train
    assert (images.shape, images.dtype) == ((3, 3, 32, 64), torch.uint8)
    assert digits.tolist() == [[1, 9, 10, 10, 10, 10], [2, 0, 3, 4, 5, 6], [7, 10, 10, 10, 10, 10]]
    # 15 % on each side of 130 % is red: at the edges, and not in the middle.
    assert images[0, :, 16, 32].tolist() == [0, 255, 0]
    green = (images[:, 1] > 127).float().mean((1, 2))
    assert torch.allclose(green, torch.full((3,), 1 / 1.3**2), atol=0.05)
    assert len(found.test[0]) == 1
    assert found.val is None
    assert found.note == ""


def test_pictures_without_boxes_are_not_cropped(tmp_path: Path) -> None:
    """With three parts, `val` is the validation data and `test` the test data."""
    for part, label in (("train", [1, 2]), ("val", [3]), ("test", [4])):
        write_folder(tmp_path, part, [label], boxes=False)
    found = load(tmp_path)
    green = (found.train[0][0, 1] > 127).float().mean()
    assert green == pytest.approx(24 * 30 / (120 * 50), abs=0.03)
    assert (found.val[1][0, 0], found.test[1][0, 0]) == (3, 4)


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ({"000000.png": {"label": []}}, r"000000.png is labelled \[\]"),
        ({"000000.png": {"label": [1] * 7}}, "1 to 6 digits"),
        ({"000000.png": {"label": [10]}}, "0 to 9"),
        ({"000000.png": {"labels": [1]}}, "label"),
        ({"000009.png": {"label": [1]}}, "000009.png cannot be read"),
        ([1], "not a file of street numbers"),
    ],
)
def test_a_wrong_annotation_is_named(entries: Any, named: str, tmp_path: Path) -> None:
    """In one line, before the training starts."""
    write_folder(tmp_path, "train", [[1]])
    (tmp_path / "train.json").write_text(json.dumps(entries))
    with pytest.raises(RequestError, match=named) as caught:
        run(tmp_path, "svhn", data=str(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("inside", ["", "SVHN"])
def test_torchvisions_files(inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They hold single digits; the published label 10 is the digit 0."""
    folder = tmp_path / inside
    folder.mkdir(exist_ok=True)
    lists = {}
    for part, labels in (("train", [1, 10, 3]), ("test", [9])):
        file = folder / f"{part}_32x32.mat"
        pixels = np.arange(32 * 32 * 3 * len(labels)).reshape(32, 32, 3, len(labels)) % 251
        savemat(file, {"X": pixels.astype(np.uint8), "y": np.array(labels, np.uint8)[:, None]})
        lists[part] = ["", file.name, hashlib.md5(file.read_bytes()).hexdigest()]
    # torchvision knows the checksums of the published files; these are small files in the same format.
    monkeypatch.setattr(SVHN, "split_list", lists)
    found = load(tmp_path)
    images, digits = found.train
    assert digits[:, 0].tolist() == [1, 0, 3]
    assert (digits[:, 1:] == 10).all()
    assert images.shape == (3, 3, 32, 64)
    whole = SVHN(folder, split="train").data
    assert np.array_equal(images[:, :, :, 16:48].numpy(), whole)
    (folder / "test_32x32.mat").write_bytes(b"torn")
    with pytest.raises(RequestError, match="damaged"):
        load(tmp_path)


def test_the_loss_is_the_mean_of_six_heads(tmp_path: Path) -> None:
    """Each place has its own head, and a number is right if all six places are."""
    with download.using(str(tmp_path)):
        task = svhn()
    images, digits = (column[:50] for column in task.train)
    task.model.eval()
    with torch.no_grad():
        outputs = task.model(images)
    assert outputs.shape == (50, 11, 6)
    assert task.loss is not None
    heads = [torch.nn.functional.cross_entropy(outputs[:, :, place], digits[:, place]) for place in range(6)]
    assert task.loss(outputs, digits) == pytest.approx(sum(heads) / 6)
    network = task.model[1]
    assert len(network.heads) == 6
    assert all((outputs[:, :, place] != outputs[:, :, place - 1]).any() for place in range(1, 6))
    metric: Any = dict(task.metrics)["accuracy"]  # type: ignore[arg-type]
    metric.update(outputs, digits)
    assert metric.compute() == pytest.approx((outputs.argmax(1) == digits).all(1).float().mean())


def test_the_accuracy_of_each_place() -> None:
    """Over batches of unequal size; the leftmost place is 1."""
    metric = PlaceAccuracy(2)
    scores = torch.eye(3)[torch.tensor([[0, 1], [2, 1], [1, 1]])].transpose(1, 2)
    truth = torch.tensor([[0, 1], [2, 2], [0, 1]])
    for part in (slice(0, 2), slice(2, 3)):
        metric.update(scores[part], truth[part])
    found: Any = metric.compute()
    assert {place: float(value) for place, value in found.items()} == pytest.approx({"1": 2 / 3, "2": 2 / 3})


def small(monkeypatch: pytest.MonkeyPatch, train: int, test: int) -> None:
    """Compose fewer numbers."""
    monkeypatch.setattr(_composed, "TRAIN", train)
    monkeypatch.setattr(_composed, "TEST", test)


def test_a_note_says_that_numbers_are_composed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures are the same every time, and the results name the class blank."""
    small(monkeypatch, 300, 100)
    (tmp_path / "none").mkdir()
    done = run(tmp_path, "svhn", epochs=1, data=str(tmp_path / "none"))
    (note,) = done.warnings("note")
    assert "composed from scikit-learn's handwritten digits, not photographs" in note
    assert {f"place_{place}" for place in range(1, 7)} <= set(done.of(Evaluated)[0].metrics)
    found = results.evaluate(done.folder)
    assert found["classes"][-1] == "blank"
    assert sum(map(sum, found["confusion"])) == 600
    first, second = _composed.compose(), _composed.compose()
    assert all(torch.equal(a, b) for one, two in zip(first, second, strict=True) for a, b in zip(one, two, strict=True))


def test_composed_numbers_hold_their_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every length, without gaps, in colours that differ from the ground."""
    small(monkeypatch, 400, 10)
    (images, digits), _ = _composed.compose()
    blanks: Tensor = digits == 10
    assert set((~blanks).sum(1).tolist()) == {1, 2, 3, 4, 5, 6}
    assert not (blanks[:, :-1] & ~blanks[:, 1:]).any()
    assert (images.float().std((2, 3)).amax(1) > 15).float().mean() > 0.95


def test_a_resnet_of_torchvision_is_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the same six heads."""
    small(monkeypatch, 8, 4)
    with download.using(str(tmp_path)):
        task = svhn(body="resnet18")
    assert sum(parameter.numel() for parameter in task.model.parameters()) > 10_000_000
    assert task.model(task.train[0][:2]).shape == (2, 11, 6)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_composed_numbers_are_learned(tmp_path: Path) -> None:
    """Nine of ten whole numbers are right after a run."""
    (tmp_path / "none").mkdir()
    done = run(tmp_path, "svhn", data=str(tmp_path / "none"), threads=torch.get_num_threads())
    assert done.finished.test["accuracy"] >= 0.9


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("width", -5, "width -5"),
        ("height", 0, "height 0"),
        ("left", 1e12, "left 10000"),
        ("top", "Infinity", "top inf"),
    ],
)
def test_box_outside_of_a_photograph_is_named(field: str, value: Any, shown: str, tmp_path: Path) -> None:
    """A crop of such a box would fill the memory or fail with an error of the library."""
    write_folder(tmp_path, "train", [[1, 9]])
    path = tmp_path / "train.json"
    entries = json.loads(path.read_text())
    entries["000000.png"][field][0] = value
    path.write_text(json.dumps(entries).replace('"Infinity"', "Infinity"))
    with pytest.raises(RequestError, match=f"000000.png has a box with {shown}"):
        load(tmp_path)
