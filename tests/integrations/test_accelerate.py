"""Accelerate's trackers: what `accelerator.log` gets is a run."""

from __future__ import annotations

from pathlib import Path

import pytest

import stoker
from stoker.engine.runs.folder import RunFolder

accelerate = pytest.importorskip("accelerate")


def test_what_an_accelerator_logs_is_a_run(tmp_path: Path) -> None:
    """With the settings of `init_trackers`; `end_training` ends it."""
    from stoker.integrations.accelerate import StokerTracker

    accelerator = accelerate.Accelerator(cpu=True, log_with=StokerTracker("one", runs=tmp_path, project="demo"))
    accelerator.init_trackers("demo", config={"lr": 0.5})
    assert accelerator.get_tracker("stoker", unwrap=True) is stoker.run
    for step in range(3):
        accelerator.log({"train/loss": 1.0 / (1 + step)}, step=10 * step)
    accelerator.end_training()
    run = RunFolder(tmp_path / "one")
    assert run.state() == "completed" and run.record().parameters == {"lr": 0.5}
    steps, values = stoker.RunHistory.read(run).metric("train", "train/loss")
    assert steps.tolist() == [0, 10, 20] and values[1] == 0.5
