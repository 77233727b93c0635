"""A run's curves in files, as other programs read them."""

from __future__ import annotations

import csv
import errno
import os
import threading
from pathlib import Path

import msgspec
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator as Reader

from stoker.engine.config.scheduler_table import BY_NAME
from stoker.engine.errors import RequestError
from stoker.engine.export import export as exporter
from stoker.engine.export.metrics_csv import STEPPED_BY_NAME
from stoker.engine.runs import events as e
from stoker.engine.runs.folder import RunFolder
from stoker.engine.training.schedulers import build_scheduler
from tests.support.recorded import evaluation, folds, run, started
from tests.support.run_folders import write

KINDS = ["metrics.csv", "curves.png", "tensorboard"]


@pytest.fixture
def made(tmp_path: Path) -> RunFolder:
    """Return the folder of a run after step 330."""
    return write(tmp_path / "runs", "one", run())


def table(folder: RunFolder, target: Path) -> list[dict[str, str]]:
    """Return the exported rows."""
    assert exporter.write(folder, None, target) == "events.jsonl"
    return list(csv.DictReader(target.open()))


@pytest.mark.parametrize("name", KINDS)
def test_a_full_disk_is_one_line_and_loses_nothing(
    made: RunFolder, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The previous export stays, no half-written file does, and no thread fails later."""
    out = tmp_path / "out"
    exporter.write(made, None, out / name)
    threads = threading.active_count()
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RequestError, match=rf"{name} cannot be written: No space left on device"):
        exporter.write(made, None, out / name)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert threading.active_count() <= threads


@pytest.mark.parametrize("name", [*KINDS, "weights.pt", "model.pt", "weights.safetensors"])
@pytest.mark.parametrize("place", ["/proc", "{}/runs/one/run.json"])
def test_a_place_that_cannot_be_written_is_one_line(made: RunFolder, tmp_path: Path, name: str, place: str) -> None:
    """Every format has the same error message."""
    (made.checkpoints / "latest.pt").touch()
    with pytest.raises(RequestError, match=rf"{name} cannot be written: \w"):
        exporter.write(made, None, Path(place.format(tmp_path)) / name)


@pytest.mark.parametrize("name", ["d.csv", "d.png", "d.pt", "d.safetensors"])
def test_a_folder_in_place_of_the_file_is_refused(made: RunFolder, tmp_path: Path, name: str) -> None:
    """The error comes before anything is read."""
    (tmp_path / name).mkdir()
    with pytest.raises(RequestError, match=rf"{name} cannot be written: Is a directory"):
        exporter.write(made, None, tmp_path / name)


def test_every_reader_of_tensorboard_finds_scalars(made: RunFolder, tmp_path: Path) -> None:
    """The classic accumulator and the reader of TensorBoard's own plugin find the same scalars."""
    exporter.write(made, None, tmp_path / "tensorboard")
    events = EventAccumulator(str(tmp_path / "tensorboard"), size_guidance={"scalars": 0}).Reload()
    assert set(events.Tags()["scalars"]) == {"loss/train", "loss/test", "accuracy/test", "lr"}
    assert [event.step for event in events.Scalars("loss/train")] == list(range(1, 331))
    assert events.Scalars("lr")[0].value == pytest.approx(0.01)
    reader = Reader(str(tmp_path / "tensorboard"), size_guidance={"tensors": 0}).Reload()
    assert len(reader.Tensors("loss/train")) == 330


def test_an_export_replaces_only_its_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of other programs stay; files of folds that no longer exist are removed."""
    target = tmp_path / "tensorboard"
    exporter.write(write(tmp_path, "three", folds(90, 90, 90)), None, target)
    names = ["events.out.tfevents.1795329898.stoker", "fold 3/events.out.tfevents.1795329898.node.17.0", "fold 3/notes"]
    for name in names:
        (target / name).write_bytes(b"foreign")
    monkeypatch.setattr("time.time", lambda: 1_900_000_000.5)
    exporter.write(write(tmp_path, "two", folds(90, 90)), None, target)
    files = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert {*names} < files
    assert sorted(Path(name).parent.name for name in files - {*names}) == ["fold 1", "fold 2"]


def test_the_table_shows_numbers_as_they_were_recorded(made: RunFolder, tmp_path: Path) -> None:
    """Each number has its shortest text, and every row has the learning rate, which changes only by events."""
    rows = table(made, tmp_path / "metrics.csv")
    assert [row["lr"] for row in rows] == ["0.01"] * 179 + ["0.005"] * 151
    assert all(len(row["train_loss"]) < 13 for row in rows)


def test_a_rate_that_changes_each_step_is_shown_only_where_it_was_recorded(tmp_path: Path) -> None:
    """Between two recorded steps the rate is unknown, unless both are equal."""
    rates = {5: 0.1, 10: 0.2, 15: 0.2, 20: 0.05}
    steps = [
        e.Steps(step=step, first=step - 4, losses=[0.5] * 5, lr=[rate], samples_per_second=1.0)
        for step, rate in rates.items()
    ]
    folder = write(tmp_path, "warm", [started(), *steps])
    record = folder.record()
    record.settings["scheduler"] = "warmup:steps=10+cosine"
    folder.write_record(record)
    shown = [row["lr"] for row in table(folder, tmp_path / "metrics.csv")]
    assert shown == [*[""] * 4, "0.1", *[""] * 4, *["0.2"] * 6, *[""] * 4, "0.05"]


@pytest.mark.parametrize(
    ("unit", "scheduler", "each_step"),
    [
        ("step", "odd-name", True),
        ("epoch", "warmup:steps=10", False),
        ("none", "onecycle", False),
        ("", "warmup:steps=10", True),
        ("", "cosine", False),
    ],
)
def test_the_unit_of_the_event_decides_before_the_name(
    tmp_path: Path, unit: str, scheduler: str, each_step: bool
) -> None:
    """Runs of version 0.1.0 have no unit in their event; the scheduler's name decides for them."""
    event = msgspec.structs.replace(started(), scheduler_unit=unit)
    steps = e.Steps(step=3, first=1, losses=[0.5] * 3, lr=[0.1])
    folder = write(tmp_path, "run", [event, steps])
    record = folder.record()
    record.settings["scheduler"] = scheduler
    folder.write_record(record)
    shown = [row["lr"] for row in table(folder, tmp_path / "metrics.csv")]
    assert shown == (["", "", "0.1"] if each_step else ["0.1"] * 3)


def test_the_names_for_old_runs_match_the_schedulers() -> None:
    """A scheduler has one of these names exactly when it is stepped at every step."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    for name in [*BY_NAME, "warmup:steps=3", "warmup:steps=3+cosine"]:
        text = f"{name}:milestones=3" if name == "multistep" else name
        made = build_scheduler(text, optimizer, 0.1, epochs=9, steps_per_epoch=5, lower_is_better=True)
        assert made is not None and (made.unit == "step") is text.startswith(STEPPED_BY_NAME)


def test_the_rate_before_its_first_change_is_empty(tmp_path: Path) -> None:
    """The first recorded rate came from a command, so the old rate is unknown."""
    changed = e.LearningRate(step=5, epoch=1, lr=[0.3], cause="command")
    later = e.Steps(step=10, first=1, losses=[0.5] * 10, lr=[0.3], samples_per_second=1.0)
    rows = table(write(tmp_path, "set", [started(), changed, later]), tmp_path / "metrics.csv")
    assert [row["lr"] for row in rows] == [*[""] * 4, *["0.3"] * 6]


def test_a_run_without_steps_is_exported(tmp_path: Path) -> None:
    """The run was evaluated, and has no training loss yet."""
    folder = write(tmp_path, "new", [started(), *evaluation(0)])
    for name in KINDS:
        exporter.write(folder, None, tmp_path / name)
    assert (tmp_path / "curves.png").stat().st_size
