"""Models of which the task's optimizer trains only a part, such as a new head on a pretrained body."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.runs.events import RunStarted
from stoker.engine.runs.folder import RunFolder
from tests.support.in_process import Run, create, run
from tests.support.paths import SUPPORT

TASKS = SUPPORT / "tasks_for_tests.py"


def model_of(folder: RunFolder) -> dict[str, Any]:
    """Return the newest checkpoint's model."""
    found = checkpoint.newest(folder.checkpoints)
    assert found is not None
    return found[1]["model"]


def test_clipping_ignores_gradients_of_untrained_parameters(tmp_path: Path) -> None:
    """Gradients of untrained parameters accumulate and must not count; a resumed run would not have them."""
    given: dict[str, Any] = {"epochs": 3, "clip": 0.05}
    whole = run(tmp_path, f"{TASKS}:headed", **given)
    folder = create(tmp_path, f"{TASKS}:headed", **given)
    assert Run(folder, stop_at=8).finished.cause == "stopped"
    again = Run(folder)
    assert again.of(RunStarted)[0].resumed_from and again.finished.cause == "completed"
    ours, theirs = model_of(folder), model_of(whole.folder)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert whole.warnings("inexact") == []


def test_second_optimizer_of_the_task_causes_a_warning(tmp_path: Path) -> None:
    """Its state is in no checkpoint, so the resume is not exact."""
    (message,) = run(tmp_path, f"{TASKS}:rivals", epochs=1).warnings("inexact")
    assert message.startswith("2 parameters are not in the task's optimizer. If `step` updates them")
