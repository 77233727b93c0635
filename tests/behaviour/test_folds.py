"""Runs with several folds: scikit-learn's rows, each fold's curves, the mean, and the right fold after a kill."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import StratifiedKFold

from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.evaluation import checkpoint_evaluation as results
from stoker.engine.evaluation.fold_summary import summarise_folds
from stoker.engine.runs.events import CheckpointSaved, Evaluated, RunFinished, RunStarted, Steps, decode
from stoker.engine.runs.folder import RunFolder
from stoker.engine.runs.record import Record
from stoker.engine.tasks.building import build_task
from stoker.engine.tasks.splitting import split_task
from tests.support.in_process import Run, create, run

IRIS: dict[str, Any] = {"split": "kfold:4", "epochs": 30, "eval_every": "10epochs", "patience": "null"}


@pytest.mark.parametrize(("task", "data"), [("iris", load_iris()), ("digits", load_digits())])
def test_rows_of_a_fold_are_those_of_scikit_learn(task: str, data: Any) -> None:
    """Folds are stratified and drawn with the run's seed; preprocessing is fitted on the training part alone."""
    record = Record(run="x", task=task, given={"split": "kfold:5", "seed": 11})
    wanted = StratifiedKFold(5, shuffle=True, random_state=11).split(data.data, data.target)
    for fold, (train_rows, out_rows) in enumerate(wanted):
        built, settings, _ = build_task(record)
        part = split_task(built, settings, fold)
        assert np.array_equal(part.train[1], data.target[train_rows])
        assert np.array_equal(part.val[1], data.target[out_rows])
        if task == "iris":
            assert part.train[0].min() == 0
            assert part.train[0].max() == 1
            low, high = data.data[train_rows].min(0), data.data[train_rows].max(0)
            assert np.allclose(part.val[0], (data.data[out_rows] - low) / (high - low), atol=1e-6)


def test_result_of_a_run_is_the_mean_of_its_folds(tmp_path: Path) -> None:
    """Each fold emits its events; the result holds mean and sample standard deviation of the last evaluations."""
    done = run(tmp_path, "iris", **IRIS)
    assert [event.fold for event in done.of(RunStarted)] == [0, 1, 2, 3]
    assert {event.folds for event in done.of(RunStarted)} == {4}
    assert [event.resumed_from for event in done.of(RunStarted)] == [None] * 4
    last: dict[int | None, dict[str, float]] = {event.fold: event.metrics for event in done.of(Evaluated)}
    assert [*last] == [0, 1, 2, 3]
    for name in ("loss", "accuracy"):
        values = [metrics[name] for metrics in last.values()]
        assert done.finished.test[name] == pytest.approx(statistics.fmean(values))
        assert done.finished.test[f"{name}_std"] == pytest.approx(statistics.stdev(values))
    assert done.finished.fold is None
    assert done.finished.best == done.finished.test["loss"]
    assert sorted(path.name for path in done.folder.checkpoints.glob("*best.pt")) == [
        f"fold-{n}-best.pt" for n in range(4)
    ]


def test_folds_begin_with_the_same_weights(tmp_path: Path) -> None:
    """Folds differ by their data alone: fold 2 trained by itself equals fold 2 of the run."""
    done = run(tmp_path, "digits", split="kfold:3", epochs=1, batch_size=64)
    first = [next(e.losses[0] for e in done.of(Steps) if e.fold == fold) for fold in range(3)]
    assert max(first) - min(first) < 0.2
    assert len(set(first)) == 3


def test_checkpoints_of_all_folds_can_be_evaluated_together(tmp_path: Path) -> None:
    """Each fold's model is evaluated on the rows that it was not trained on."""
    done = run(tmp_path, "iris", **IRIS)
    found = results.evaluate(done.folder)
    assert [part["checkpoint"] for part in found["folds"]] == [f"fold-{n}-best.pt" for n in range(4)]
    best = [min(event.metrics["loss"] for event in done.of(Evaluated) if event.fold == fold) for fold in range(4)]
    assert [part["metrics"]["loss"] for part in found["folds"]] == pytest.approx(best)
    assert found["metrics"]["loss"] == pytest.approx(statistics.fmean(best))
    one = results.evaluate(done.folder, "fold-2-best.pt")
    assert one == found["folds"][2]
    json.dumps(found, allow_nan=False)


def test_bootstrap_trains_on_drawn_rows_and_evaluates_on_the_others(tmp_path: Path) -> None:
    """A bootstrap draws as many rows as there are, some of them twice, and evaluates on the others."""
    done = run(tmp_path, "iris", **{**IRIS, "split": "bootstrap:3"})
    assert [event.fold for event in done.of(RunStarted)] == [0, 1, 2]
    rows = [sum(map(sum, part["confusion"])) for part in results.evaluate(done.folder)["folds"]]
    assert all(35 < count < 75 for count in rows)


def test_early_stopping_ends_a_fold_and_not_the_run(tmp_path: Path) -> None:
    """After early stopping in a fold the next fold is trained."""
    done = run(tmp_path, "iris", **{**IRIS, "patience": 2, "lr": 1e-12, "epochs": 100})
    assert [event.fold for event in done.of(Evaluated)] == [fold for fold in range(4) for _ in range(3)]
    assert done.finished.cause == "completed"


def test_resuming_a_finished_run_of_folds_trains_nothing(tmp_path: Path) -> None:
    """Resuming a finished run of folds trains nothing and counts no fold twice."""
    done = run(tmp_path, "iris", **IRIS)
    again = Run(done.folder)
    assert again.finished.test == done.finished.test
    assert not again.of(Steps)


CHILD = """
import os, signal, sys
from pathlib import Path
from stoker.engine.runs.commands import Controls
from stoker.engine.runs.events import Steps
from stoker.engine.runs.folder import RunFolder
from stoker.engine.session import train

fold, place = int(sys.argv[2]), sys.argv[3]

class Killed(Controls):
    seen = 0
    def pending(self, now):
        self.seen += self.fold_now == fold
        if self.seen == (1 if place == "start" else 25):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().pending(now)

controls = Killed()
controls.fold_now = -1
def say(event):
    controls.fold_now = event.fold
train(RunFolder(Path(sys.argv[1])), controls, say)
"""


def killed(folder: RunFolder, fold: int, place: str) -> None:
    """Train in a process that dies in the middle of a fold."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder.path), str(fold), place], env=environment, check=False
    )
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("place", ["start", "middle"])
def test_run_killed_in_its_third_fold_resumes_there(place: str, tmp_path: Path) -> None:
    """A run killed at a fold's first batch or after an evaluation ends with the means of an uninterrupted run."""
    straight = run(tmp_path, "iris", **IRIS)
    folder = create(tmp_path, "iris", **IRIS)
    killed(folder, 2, place)
    before = folder.events.read_bytes()
    resumed = Run(folder)
    started = resumed.of(RunStarted)
    assert [event.fold for event in started] == [2, 3]
    # The last written step depends on milliseconds; the fold does not.
    assert started[0].resumed_from in ((0,) if place == "start" else (0, 10, 20))
    assert {event.fold for event in resumed.of(Steps)} == {2, 3}
    assert resumed.finished.test == straight.finished.test
    lines = [event for line in before.split(b"\n") if (event := decode(line)) is not None]
    assert not any(isinstance(event, RunFinished) for event in lines)
    assert {event.fold for event in lines} == {0, 1, 2}


def test_run_stopped_in_a_fold_reports_the_mean_of_finished_folds(tmp_path: Path) -> None:
    """A run stopped in a fold reports the mean of the finished folds and resumes in that fold."""
    folder = create(tmp_path, "iris", **IRIS)
    stopped = Run(folder, stop_at=2 * 34 + 10)
    assert stopped.finished.cause == "stopped"
    saved = checkpoint.read(folder.checkpoints / "latest.pt")
    assert saved["progress"]["fold"] == 2
    assert len(saved["folds"]) == 2
    assert stopped.finished.test == summarise_folds(saved["folds"])
    assert [event.fold for event in Run(folder).of(RunStarted)] == [2, 3]


def test_each_fold_is_saved_before_its_first_step(tmp_path: Path) -> None:
    """A checkpoint at the beginning of each fold keeps the finished folds if the process is killed."""
    done = run(tmp_path, "iris", **IRIS)
    kept = [(event.fold, event.step) for event in done.of(CheckpointSaved) if event.kind == "latest"]
    assert kept[:3] == [(1, 0), (2, 0), (3, 0)]
