"""The parts of the benchmark for GPUs run on the CPU too, so that they work on the day there is a GPU."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks.cases import gpu
from benchmarks.gpu import exactness, memory, steps
from benchmarks.gpu.options import Options

CPU = Options("cpu", quick=True)


def test_stopped_runs_are_compared_in_a_new_process() -> None:
    """On the CPU the resumed runs have the same bits."""
    found = exactness.exact(CPU)
    assert found == dict.fromkeys(("attention fp32", "release fp32", "NaN with batch norm fp32"), "same bits")


def test_comparison_notices_one_bit(tmp_path: Path) -> None:
    """A whole run whose weights differ in a bit is told of."""
    case = ("attention", "fp32", CPU, (7,))
    assert exactness._train(tmp_path, *case) == "not resumed"
    path = next(tmp_path.glob("*-whole")) / "checkpoints" / "latest.pt"
    saved = torch.load(path, weights_only=True)
    saved["model"]["out.bias"][0] += 1e-6
    torch.save(saved, path)
    assert exactness.resume(tmp_path) == {"attention fp32": "OTHER BITS in 1 tensors without a warning"}


def test_operations_are_counted() -> None:
    """The profile of a step has operations, of a bare loop and of the engine."""
    found = steps.steps(CPU)
    assert all(counts["operations"] > 5 for counts in found.values()) and len(found) == 2


def test_release_is_measured_at_three_moments() -> None:
    """The run completes, and the memory is read before, during and after its release."""
    found = memory.release(CPU)
    assert found["end"] == "completed"
    assert {"held_before_MiB", "held_during_MiB", "held_after_MiB"} <= found.keys()


def test_waits_for_a_save_are_measured() -> None:
    """Both ways to copy are measured."""
    assert {"pinned_wait", "ordinary_wait"} <= memory.save(CPU).keys()


def test_failed_part_stops_no_other(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A part that fails or hangs is a figure with its reason, and the next one is measured."""
    monkeypatch.setattr(gpu, "PARTS", {"no such part": 60, "exact": 0.1, "several": 60})
    found = gpu.main(["--device", "cpu", "--quick"])
    assert "KeyError" in found["no such part"]["failed"]
    assert found["exact"]["failed"] == "not ready after 0.1 s"
    assert found["several"]["gpus"] == torch.cuda.device_count()
    assert json.dumps(found)
