"""A run that reached its limit can be extended: the result equals that of a longer run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.errors import RunError, RunLocked, SettingError
from stoker.engine.runs.events import LearningRate, RunStarted, Steps
from stoker.engine.runs.extend import extend_run, limit_reached
from stoker.engine.runs.folder import RunFolder
from tests.support.in_process import Run, create, run
from tests.support.paths import SUPPORT

HELD = f"{SUPPORT / 'tasks_for_tests.py'}:held"


def state(folder: RunFolder) -> dict[str, Any]:
    """Return the state in the newest checkpoint."""
    found = checkpoint.newest(folder.checkpoints)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("scheduler", ["none", "step:size=2,gamma=0.5"])
def test_more_epochs_equal_a_longer_run(scheduler: str, tmp_path: Path) -> None:
    """Bit for bit, if the schedule does not depend on the length."""
    whole = run(tmp_path, HELD, epochs=5, scheduler=scheduler)
    short = run(tmp_path, HELD, epochs=2, scheduler=scheduler)
    assert limit_reached(short.folder) == ("epochs", 2)
    extend_run(short.folder, epochs=5)
    longer = Run(short.folder)
    assert longer.finished.message == ""
    assert [event.resumed_from for event in longer.of(RunStarted)] == [short.finished.step]
    assert longer.warnings("note") == ["Training limit changed: epochs 2 → 5."]
    assert longer.warnings("task_changed") == []
    losses = [loss for event in (*short.of(Steps), *longer.of(Steps)) for loss in event.losses]
    assert losses == [loss for event in whole.of(Steps) for loss in event.losses]
    ours, theirs = state(short.folder)["model"], state(whole.folder)["model"]
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_cosine_falls_over_the_new_length(tmp_path: Path) -> None:
    """It continues as in a run of that length, not at the zero of the old end."""
    whole = run(tmp_path, HELD, epochs=6, scheduler="cosine")
    short = run(tmp_path, HELD, epochs=3, scheduler="cosine")
    assert short.of(LearningRate)[-1].lr == [0.0]
    extend_run(short.folder, epochs="6")
    rates = [event.lr for event in Run(short.folder).of(LearningRate)]
    assert rates == [pytest.approx(event.lr) for event in whole.of(LearningRate)[3:]]


def test_more_patience_continues_the_counter(tmp_path: Path) -> None:
    """A run that stopped early counts from its old value."""
    given: dict[str, Any] = {"epochs": 40, "lr": 1e-30, "monitor": "accuracy", "patience": 3, "eval_every": "1epochs"}
    short = run(tmp_path, "iris", **given)
    assert (short.finished.cause, short.finished.epoch) == ("early_stopping", 4)
    assert limit_reached(short.folder) == ("patience", 3)
    extend_run(short.folder, patience=5)
    longer = Run(short.folder)
    assert (longer.finished.cause, longer.finished.epoch) == ("early_stopping", 6)


def test_a_stopped_run_has_reached_no_limit(tmp_path: Path) -> None:
    """It has epochs left. A run with folds cannot be extended."""
    stopped = Run(create(tmp_path, HELD, epochs=3), stop_at=2)
    assert stopped.finished.cause == "stopped"
    assert limit_reached(stopped.folder) is None
    folds = run(tmp_path, "iris", split="kfold:3", epochs=2)
    with pytest.raises(RunError, match="run with folds cannot be extended"):
        limit_reached(folds.folder)
    for limit in ("epochs", "patience"):
        with pytest.raises(RunError, match="run with folds cannot be extended"):
            extend_run(folds.folder, **{limit: 4})


def test_an_impossible_limit_is_refused(tmp_path: Path) -> None:
    """Fewer epochs than trained, no number, a run that trains now; run.json keeps its content."""
    done = run(tmp_path, HELD, epochs=3)
    before = (done.folder.path / "run.json").read_bytes()
    with pytest.raises(RunError, match="already in epoch 3: --epochs 2 is too few"):
        extend_run(done.folder, epochs=2)
    with pytest.raises(SettingError, match="--epochs 'many'"):
        extend_run(done.folder, epochs="many")
    with done.folder.lock(), pytest.raises(RunLocked):
        extend_run(done.folder, epochs=9)
    assert (done.folder.path / "run.json").read_bytes() == before
