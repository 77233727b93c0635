"""Exports of a run for other programs, and comparisons of runs."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch

from tests.support.end_to_end import stoker


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two short runs; the second is like the first except for the given settings."""
    folder = tmp_path_factory.mktemp("exports")
    settings = ["--epochs", "400", "--headless"]
    assert stoker(folder, "run", "iris", "--name", "a", *settings).returncode == 0
    done = stoker(folder, "run", "--like", "a", "hidden=20", "--lr", "0.05", "--name", "b", "--headless")
    assert done.returncode == 0, done.stderr
    return folder


def test_model_is_exported_in_every_format(here: Path) -> None:
    """The parameters in two formats and the whole model hold the same values."""
    for name in ("weights.safetensors", "weights.pt", "model.pt"):
        done = stoker(here, "export", "b", "--to", name)
        assert done.returncode == 0, done.stderr
    from safetensors.torch import load_file

    saved = torch.load(here / "runs" / "b" / "checkpoints" / "best.pt", weights_only=True)["model"]
    plain = torch.load(here / "weights.pt", weights_only=True)
    safe = load_file(here / "weights.safetensors")
    whole = torch.load(here / "model.pt", weights_only=False)
    assert isinstance(whole, torch.nn.Sequential)
    for found in (plain, safe, whole.state_dict()):
        assert found.keys() == saved.keys()
        assert all(torch.equal(found[name], saved[name]) for name in saved)


def test_curves_are_exported_as_csv_png_and_tensorboard(here: Path) -> None:
    """There is a row for each step, an image, and a file that TensorBoard itself reads."""
    for name in ("metrics.csv", "curves.png", "tensorboard"):
        done = stoker(here, "export", "b", "--to", name)
        assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((here / "metrics.csv").open()))
    assert [int(row["step"]) for row in rows] == list(range(1, 401))
    assert [row["step"] for row in rows if row["test_accuracy"]] == ["200", "400"]
    assert all(float(row["train_loss"]) > 0 for row in rows)
    assert (here / "curves.png").read_bytes().startswith(b"\x89PNG")

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(here / "tensorboard"), size_guidance={"scalars": 0})
    events.Reload()
    assert {"loss/train", "loss/test", "accuracy/test", "lr"} == set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("loss/train")] == list(range(1, 401))


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors", "model.pt", "m.csv", "c.png", "tensorboard"])
def test_export_to_an_unwritable_path_is_one_line(here: Path, name: str) -> None:
    """The exit code is 2; a missing folder is created."""
    done = stoker(here, "export", "b", "--to", f"/proc/{name}")
    assert done.returncode == 2
    assert f"/proc/{name}" in done.stderr and done.stderr.count("\n") == 1
    done = stoker(here, "export", "b", "--to", f"no/such/{name}")
    assert done.returncode == 0, done.stderr
    assert f"wrote no/such/{name} from " in done.stdout and (here / "no/such" / name).exists()


def test_export_to_a_name_without_a_format_is_refused(here: Path) -> None:
    """The error is one line, and the exit code is 2."""
    done = stoker(here, "export", "b", "--to", "b.txt")
    assert done.returncode == 2
    assert "metrics.csv" in done.stderr
    assert done.stderr.count("\n") == 1


def test_compare_shows_settings_that_differ(here: Path) -> None:
    """Settings that are the same in both runs are left out."""
    rows = {line.split()[0]: line.split()[1:] for line in stoker(here, "compare", "a", "b").stdout.splitlines()[1:]}
    assert rows["hidden"] == ["10", "20"]
    assert rows["lr"] == ["0.01", "0.05"]
    assert "epochs" not in rows
    assert rows["state"] == ["completed", "completed"]


def test_run_like_another_gives_the_same_bits(here: Path) -> None:
    """The same task, parameters and settings give the same bits."""
    assert stoker(here, "run", "--like", "b", "--name", "again", "--headless").returncode == 0
    first, again = (
        torch.load(here / "runs" / name / "checkpoints" / "latest.pt", weights_only=True)["model"]
        for name in ("b", "again")
    )
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_evaluation_prints_class_scores_and_confusion_matrix(here: Path) -> None:
    """The tables hold each class's scores and every sample of the test data."""
    text = stoker(here, "evaluate", "b").stdout
    assert "b best.pt (step " in text
    assert "versicolor" in text
    matrix = text[text.index("columns predicted") :].splitlines()[2:]
    assert sum(int(count) for row in matrix for count in row.split()[1:]) == 30
