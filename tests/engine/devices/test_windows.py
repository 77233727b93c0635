"""A step that fails inside an accumulation window is undone back to the last optimizer step."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch.nn.functional import cross_entropy

from stoker.engine import Task
from tests.support import device_tasks as tasks
from tests.support.device_runs import DeviceRun, different, run
from tests.support.fake_cuda import FakeCuda


def failing(at: int) -> Callable[[], Task]:
    """Return a function that makes a task whose backward pass fails at batch number `at`."""
    batches = itertools.count(1)

    def fail(*_: Any) -> None:
        raise ValueError("the third shelf is empty")

    def step(model: Any, batch: Any) -> Any:
        outputs = model(batch[0])
        if next(batches) == at:
            outputs.register_hook(fail)
        return cross_entropy(outputs, batch[1])

    return lambda: tasks.own_step(step)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("at", [4, 5, 6])
def test_failed_backward_pass_leaves_the_last_step(at: int, device: str, tmp_path: Path) -> None:
    """Wherever in a window of three the backward pass fails, the resumed run ends with the same bits."""
    fake = FakeCuda if device == "cuda" else contextlib.nullcontext
    given: dict[str, Any] = {"device": device, "accumulate": 3}
    with fake():
        whole = run(tmp_path, failing(0), **given)
        cut = run(tmp_path, failing(at), **given)
    assert "third shelf" in cut.finished.message and cut.finished.step == 1
    with fake():
        resumed = DeviceRun(cut.folder, failing(0))
    assert resumed.finished.cause == "completed"
    assert different(whole.state, resumed.state) == []
