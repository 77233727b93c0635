"""What a run promises on CUDA: deterministic algorithms, and a warning for each operation that has none."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torchmetrics import Metric

from stoker.engine import devices
from stoker.engine.accelerator import determinism
from stoker.engine.checkpoints import files
from tests.support import device_tasks as tasks
from tests.support.device_runs import run, stop_at
from tests.support.fake_cuda import FakeCuda

FLAGS = {
    "enabled": torch.are_deterministic_algorithms_enabled,
    "warn": torch.is_deterministic_algorithms_warn_only_enabled,
}
NO_ALGORITHM = (
    "{} does not have a deterministic implementation, but you set 'torch.use_deterministic_algorithms(True,"
    " warn_only=True)'. You can file an issue. (Triggered internally at Context.cpp:91.)"
)


class Noting(nn.Module):
    """A model that notes torch's flags, and gives warnings as torch's kernels do."""

    def __init__(self, *said: str) -> None:
        super().__init__()
        self.layer, self.said, self.seen = nn.Linear(6, 3), said, list[Any]()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the outputs (N, 3)."""
        memory: Any = torch.utils.deterministic
        now = {name: get() for name, get in FLAGS.items()}
        self.seen.append({**now, "fill": memory.fill_uninitialized_memory, "benchmark": torch.backends.cudnn.benchmark})
        for text in self.said:
            warnings.warn(text, UserWarning, stacklevel=1)
            warnings.warn(text, UserWarning, stacklevel=2)
        return self.layer(inputs)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("device", "given", "wanted"),
    [("cuda", {}, True), ("cuda", {"deterministic": False}, False), ("cpu", {}, False)],
    ids=["cuda", "cuda --no-deterministic", "cpu"],
)
def test_flags_are_set_on_cuda_alone(device: str, given: dict[str, Any], wanted: bool, tmp_path: Path) -> None:
    """On CUDA the algorithms are deterministic unless the run is told otherwise; afterwards torch is as before."""
    model = Noting()
    before = {name: get() for name, get in FLAGS.items()}
    torch.backends.cudnn.benchmark = True
    try:
        with FakeCuda():
            done = run(tmp_path, lambda: tasks.task(model=model), device=device, **given)
        assert torch.backends.cudnn.benchmark
    finally:
        torch.backends.cudnn.benchmark = False
    assert done.finished.cause == "completed"
    expected = {"enabled": wanted, "warn": wanted, "fill": not wanted, "benchmark": not wanted}
    assert all(seen == expected for seen in model.seen)
    assert {name: get() for name, get in FLAGS.items()} == before
    assert done.state["settings"]["deterministic"] is given.get("deterministic", True)


def test_cublas_is_asked_for_a_deterministic_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is set before the task is built, and a value of the user's own stays."""
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    found = []

    def function() -> Any:
        found.append(os.environ.get("CUBLAS_WORKSPACE_CONFIG"))
        return tasks.task()

    run(tmp_path, function, device="cpu", epochs=1)
    with FakeCuda():
        run(tmp_path, function, epochs=1)
        monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
        run(tmp_path, function, epochs=1)
    assert found == [None, ":4096:8", ":16:8"]


@pytest.mark.parametrize("setting", ["always", "ignore"])
def test_operation_without_deterministic_algorithm_is_named_once(setting: Any, tmp_path: Path) -> None:
    """Each such operation becomes one warning of kind `inexact`, in every run of the process; others are left alone."""
    said = (
        NO_ALGORITHM.format("index_add_cuda_"),
        NO_ALGORITHM.format("nll_loss2d_forward_out_cuda_template"),
        "Memory Efficient attention defaults to a non-deterministic algorithm. To explicitly enable determinism call …",
        "Deterministic behavior was enabled …, but this operation is not deterministic because it uses CuBLAS and …",
        "something else",
    )
    for _ in range(2):
        with FakeCuda(), warnings.catch_warnings(record=True) as others:
            warnings.simplefilter(setting)
            done = run(tmp_path, lambda: tasks.task(model=Noting(*said)))
        found = [text.partition(" has no deterministic")[0] for text in done.warnings("inexact")]
        assert found == [
            "`index_add_cuda_`",
            "`nll_loss2d_forward_out_cuda_template`",
            "memory efficient attention",
            "a matrix product of cuBLAS",
        ]
        assert {str(warning.message) for warning in others} == ({"something else"} if setting == "always" else set())


def test_metrics_are_counted_by_any_algorithm(tmp_path: Path) -> None:
    """The flags are off while metrics are updated and computed: their deterministic way takes classes² of memory."""
    seen: list[bool] = []

    class Counting(Metric):
        def __init__(self) -> None:
            super().__init__()
            self.add_state("count", default=torch.tensor(0), dist_reduce_fx="sum")

        def update(self, outputs: Any, targets: Any) -> None:
            seen.append(torch.are_deterministic_algorithms_enabled())
            self.count += len(targets)

        def compute(self) -> Any:
            seen.append(torch.are_deterministic_algorithms_enabled())
            return self.count

    model = Noting()
    with FakeCuda():
        done = run(tmp_path, lambda: tasks.task(model=model, metrics={"count": Counting()}))
    assert done.finished.cause == "completed", done.finished.message
    assert seen and not any(seen)
    assert all(flags["enabled"] for flags in model.seen)


def test_hardware_and_flags_are_recorded_and_compared(tmp_path: Path) -> None:
    """A run on CUDA records GPU, cuDNN, driver and flags, and a resume on another GPU says so."""
    with FakeCuda():
        cut = run(tmp_path, tasks.augmented, stop_at(5))
        environment = cut.state["environment"]
        assert environment["device_name"] == "Fake GPU" and environment["compute_capability"] == "9.0"
        assert environment["deterministic"] == "yes" and environment["tf32_matmul"] in ("yes", "no")
        assert {"cudnn", "driver", "multiprocessors", "tf32_cudnn", "cudnn_benchmark"} <= environment.keys()
        cut.state["environment"] |= {"device_name": "Older GPU", "compute_capability": "8.0", "tf32_matmul": "maybe"}
        files.write(cut.folder.checkpoints, ["latest.pt"], cut.state)
        (message,) = cut.resume().warnings("inexact")
    for change in ("device_name Older GPU → Fake GPU", "compute_capability 8.0 → 9.0", "tf32_matmul maybe → "):
        assert change in message


def test_environment_of_the_cpu_has_no_flags() -> None:
    """Without a GPU nothing of it is recorded."""
    assert determinism.flags(torch.device("cpu")) == {}
    assert set(devices.hardware(torch.device("cpu"))) == {"cpu_capability", "device_name"}


def test_no_deterministic_is_said(tmp_path: Path) -> None:
    """A run that gives up deterministic algorithms says that a resume may differ."""
    with FakeCuda():
        done = run(tmp_path, tasks.augmented, deterministic=False)
    assert any("--no-deterministic" in text for text in done.warnings("inexact"))


def test_move_to_another_kind_of_device_is_one_change(tmp_path: Path) -> None:
    """A run of the GPU that goes on on the CPU says that the device changed, and does not call it another task."""
    with FakeCuda():
        cut = run(tmp_path, tasks.augmented, stop_at(5))
    record = cut.folder.record()
    record.given["device"] = "cpu"
    cut.folder.write_record(record)
    resumed = cut.resume()
    (message,) = resumed.warnings("inexact")
    assert "device cuda → cpu" in message and "→ None" not in message
    assert resumed.warnings("task_changed") == []


def test_compiling_on_cuda_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiled model takes kernels by their speed on a GPU, so the run says that a resume may differ; not on the CPU."""
    monkeypatch.setattr(torch, "compile", lambda model, **_: model)
    with FakeCuda():
        there = run(tmp_path, tasks.augmented, compile=True)
    here = run(tmp_path, tasks.augmented, device="cpu", compile=True)
    assert any("torch.compile" in text for text in there.warnings("inexact"))
    assert here.warnings("inexact") == []
