"""The evaluation of a checkpoint after the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stoker.engine.errors import CheckpointError, RequestError, TrainingError
from stoker.engine.evaluation import checkpoint_evaluation as results
from stoker.engine.runs.events import Evaluated
from tests.support.in_process import Run, create, run
from tests.support.paths import SUPPORT

SEEN = SUPPORT / "recording_task.py"


def test_the_best_and_the_latest_are_what_the_run_said(tmp_path: Path) -> None:
    """The result has the confusion matrix and the scores of every class, as plain data."""
    done = run(tmp_path, "digits", epochs=6, lr=0.02)
    values = [event.metrics for event in done.of(Evaluated)]
    best = max(values, key=lambda metrics: metrics["accuracy"])
    found, latest = results.evaluate(done.folder), results.evaluate(done.folder, "latest")
    assert latest["metrics"] == pytest.approx(values[-1])
    assert found["metrics"] == pytest.approx(best)
    assert (found["run"], found["checkpoint"], found["split"]) == (done.folder.name, "best.pt", "test")
    assert latest["step"] == done.finished.step
    assert found["classes"] == [str(digit) for digit in range(10)]
    confusion = found["confusion"]
    right = sum(confusion[i][i] for i in range(10))
    assert right / sum(map(sum, confusion)) == pytest.approx(best["accuracy"])
    assert [row["support"] for row in found["per_class"]] == [sum(row) for row in confusion]
    json.dumps(found, allow_nan=False)


def test_a_path_is_a_checkpoint_too(tmp_path: Path) -> None:
    """A name in the run's folder, or any other path."""
    done = run(tmp_path, "iris", epochs=10)
    wanted = results.evaluate(done.folder, "latest")
    elsewhere = tmp_path / "copy.pt"
    elsewhere.write_bytes((done.folder.checkpoints / "latest.pt").read_bytes())
    assert results.evaluate(done.folder, str(elsewhere))["metrics"] == wanted["metrics"]
    with pytest.raises(CheckpointError, match=r"no checkpoint 'newest'; it has .*latest.pt"):
        results.evaluate(done.folder, "newest")


def test_validation_data_are_measured_where_there_is_no_test(tmp_path: Path) -> None:
    """If there are both, the test data are used."""
    both = run(tmp_path, f"{SEEN}:recording", split="holdout:0.25")
    found = results.evaluate(both.folder, "latest")
    assert found["split"] == "test"
    assert found["metrics"] == pytest.approx(both.finished.test)


def test_a_task_that_fails_is_told_by_its_line(tmp_path: Path) -> None:
    """An error in the evaluation names the user's line; a checkpoint of another model is refused."""
    file = tmp_path / "task.py"
    file.write_text(SEEN.read_text())
    folder = create(tmp_path, f"{file}:recording", epochs=1)
    Run(folder)
    text = file.read_text()
    file.write_text(text.replace("outputs: Tensor = self.layers(images)", "outputs = self.layers(images) + []"))
    with pytest.raises(TrainingError, match=r"TypeError.*\(task.py:\d+\)"):
        results.evaluate(folder)
    file.write_text(text.replace("nn.Conv2d(2, 4, 3)", "nn.Conv2d(2, 5, 3)"))
    with pytest.raises(RequestError, match=r"layers\.0\.weight"):
        results.evaluate(folder)
