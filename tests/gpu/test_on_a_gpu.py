"""What only a real GPU can show; the same parts as `python -m benchmarks gpu`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.gpu import exactness, memory, steps
from benchmarks.gpu.options import Options
from benchmarks.gpu.trained import Trained, create

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here"),
    pytest.mark.timeout(600),
]
CUDA = Options("cuda")


def test_resumed_runs_have_the_same_bits() -> None:
    """Convolution, attention, folds, a release, NaN and the others resume exactly, or the run says why not."""
    found = exactness.exact(CUDA)
    assert not {name: outcome for name, outcome in found.items() if not outcome.startswith(("same bits", "OTHER"))}
    assert not {name: outcome for name, outcome in found.items() if outcome.endswith("without a warning")}


def test_no_step_waits_for_the_device() -> None:
    """The steps of the usual optimizers have no synchronisation, apart from losses that are read on a timer."""
    found = steps.steps(CUDA)
    assert not {name: counts for name, counts in found.items() if counts["synchronisations"] >= 1}


def test_release_gives_the_memory_back() -> None:
    """While a run is released torch holds almost nothing, and afterwards as much as before."""
    found = memory.release(CUDA)
    assert found["held_during_MiB"] < 0.1 * found["held_before_MiB"]
    assert found["held_after_MiB"] <= 1.2 * found["held_before_MiB"]


def test_wait_for_a_save_is_shorter_with_pinned_memory() -> None:
    """The loop waits less for a copy into pinned memory than for one into ordinary memory."""
    found = memory.save(CUDA)
    assert found["pinned_wait"]["median"] < found["ordinary_wait"]["median"]


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="there is one CUDA device here")
def test_run_on_the_second_gpu_leaves_the_first_alone() -> None:
    """A run on cuda:1 takes no memory of cuda:0, and `auto` says which one it took."""
    found = steps.several(CUDA)
    assert (found["end_on_the_second"], found["bytes_on_the_first"]) == ("completed", 0)
    assert " was chosen: " in found["auto"]


@pytest.mark.parametrize("optimizer", ["sgd:momentum=0.9", "sgd:momentum=0.9,nesterov=yes", "adamw"])
def test_fp16_trains_to_numbers(optimizer: str, tmp_path: Path) -> None:
    """Half precision begins with numbers, although its first steps overflow."""
    given: dict[str, Any] = {"device": "cuda", "threads": 1, "precision": "fp16", "optimizer": optimizer}
    done = Trained(create(tmp_path, "convolution", "run", {}, given))
    assert done.finished.cause == "completed", done.finished.message
    assert all(bool(torch.isfinite(value).all()) for value in done.state()["model"].values())
