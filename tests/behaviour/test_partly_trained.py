"""A model of which the task's own optimizer trains a part, as when a head is put on a body that was trained before."""

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


def test_clipping_looks_at_what_is_trained(tmp_path: Path) -> None:
    """Gradients of the rest pile up, and would shrink every step more; and a resumed run would begin a new pile."""
    given = {"epochs": 3, "clip": 0.05}
    whole = run(tmp_path, f"{TASKS}:headed", **given)
    folder = create(tmp_path, f"{TASKS}:headed", **given)
    assert Run(folder, stop_at=8).finished.cause == "stopped"
    again = Run(folder)
    assert again.of(RunStarted)[0].resumed_from and again.finished.cause == "completed"
    ours, theirs = model_of(folder), model_of(whole.folder)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert whole.warnings("inexact") == []


def test_a_second_optimizer_of_ones_own_is_told(tmp_path: Path) -> None:
    """Its state is in no checkpoint, so resuming is not exact."""
    (told,) = run(tmp_path, f"{TASKS}:rivals", epochs=1).warnings("inexact")
    assert told.startswith("2 parameter tensors are not the optimizer's: if `step` trains them")
