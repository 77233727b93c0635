"""What other programs are given of a run: weights, tables, pictures; and runs side by side."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch

from tests.support.end_to_end import stoker


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two short runs; the second is like the first, but for what was given."""
    folder = tmp_path_factory.mktemp("exports")
    settings = ["--epochs", "400", "--headless"]
    assert stoker(folder, "run", "iris", "--name", "a", *settings).returncode == 0
    done = stoker(folder, "run", "--like", "a", "hidden=20", "--lr", "0.05", "--name", "b", "--headless")
    assert done.returncode == 0, done.stderr
    return folder


def test_the_model_is_exported_in_every_form(here: Path) -> None:
    """Parameters alone in two formats, and the model whole, all with the same values."""
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


def test_the_curves_are_exported(here: Path) -> None:
    """A row each step, a picture, and what TensorBoard itself reads back."""
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
def test_a_place_that_cannot_be_written_is_one_line(here: Path, name: str) -> None:
    """Exit code 2; a folder that is not there is made."""
    done = stoker(here, "export", "b", "--to", f"/proc/{name}")
    assert done.returncode == 2
    assert f"/proc/{name}" in done.stderr and done.stderr.count("\n") == 1
    done = stoker(here, "export", "b", "--to", f"no/such/{name}")
    assert done.returncode == 0, done.stderr
    assert f"wrote no/such/{name} from " in done.stdout and (here / "no/such" / name).exists()


def test_a_name_that_says_nothing_is_refused(here: Path) -> None:
    """One line, exit code 2."""
    done = stoker(here, "export", "b", "--to", "b.txt")
    assert done.returncode == 2
    assert "metrics.csv" in done.stderr
    assert done.stderr.count("\n") == 1


def test_runs_are_compared_by_what_differs(here: Path) -> None:
    """Settings that are the same in both say nothing and are left out."""
    rows = {line.split()[0]: line.split()[1:] for line in stoker(here, "compare", "a", "b").stdout.splitlines()[1:]}
    assert rows["hidden"] == ["10", "20"]
    assert rows["lr"] == ["0.01", "0.05"]
    assert "epochs" not in rows
    assert rows["state"] == ["completed", "completed"]


def test_a_run_can_be_run_again(here: Path) -> None:
    """The same task, parameters and settings give the same bits."""
    assert stoker(here, "run", "--like", "b", "--name", "again", "--headless").returncode == 0
    first, again = (
        torch.load(here / "runs" / name / "checkpoints" / "latest.pt", weights_only=True)["model"]
        for name in ("b", "again")
    )
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_an_evaluation_has_its_tables(here: Path) -> None:
    """Each class's scores, and the confusion matrix with every sample of the test data in it."""
    text = stoker(here, "evaluate", "b").stdout
    assert "b best.pt (step " in text
    assert "versicolor" in text
    matrix = text[text.index("columns predicted") :].splitlines()[2:]
    assert sum(int(count) for row in matrix for count in row.split()[1:]) == 30
