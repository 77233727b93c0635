"""The panel of the machine shows the GPU that trains first, and every GPU that answers."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace

import pytest

from stoker.engine.runs.events import RunStarted
from stoker.tui.state.gpu_stats import Gpu, GpuStats
from stoker.tui.state.run_view import RunView
from stoker.tui.state.system_stats import SystemReading
from stoker.tui.widgets.system_panel import SystemPanel
from tests.support.fake_nvml import FakeNvml


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    """NVML with three GPUs."""
    library = FakeNvml({"GPU-a": 10, "GPU-b": 20, "GPU-c": 30})
    monkeypatch.setitem(sys.modules, "pynvml", library)
    return library


@pytest.mark.parametrize("uuid", ["b", "GPU-b"])
def test_gpu_of_the_run_comes_first(uuid: str, library: FakeNvml) -> None:
    """It is found by its UUID, whatever its number, and keeps the number of NVIDIA's tools."""
    gpus = GpuStats().read(uuid, 7)
    assert [(gpu.number, gpu.trains, gpu.own) for gpu in gpus] == [(1, True, 5), (0, False, None), (2, False, None)]
    assert gpus[0].used == 80 and gpus[0].use == 0.5


def test_run_without_a_gpu_marks_none(library: FakeNvml) -> None:
    """A run of the CPU, or of an older version, leaves the GPUs in their order."""
    assert [(gpu.number, gpu.trains) for gpu in GpuStats().read("", 7)] == [(0, False), (1, False), (2, False)]


def test_gpu_that_refuses_hides_no_other(library: FakeNvml) -> None:
    """A GPU that a container may not see is counted by NVML, and left out alone."""
    library.lost.add("GPU-b")
    assert [gpu.number for gpu in GpuStats().read("c", None)] == [2, 0]


def test_part_of_a_gpu_is_shown_by_its_name(library: FakeNvml) -> None:
    """A MIG instance has a UUID and no number; NVML tells its memory and not its use."""
    library.free["MIG-d"] = 40
    library.nvmlDeviceGetCount = lambda: 3  # type: ignore[method-assign]
    first = GpuStats().read("d", 7)[0]
    assert (first.name, first.number, first.use, first.trains) == ("NVIDIA MIG-d", None, None, True)


def test_machine_without_nvidia_has_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library, or with one that has no driver, there is none."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert GpuStats().read("a", 7) == ()


def test_panel_names_the_gpu_and_the_memory_of_the_training() -> None:
    """One GPU shows the training's own memory; of several the first is that of the run."""
    panel = SystemPanel(id="machine")
    own = Gpu("NVIDIA H100", 0.5, 30_000_000_000, 80_000_000_000, 60, 300.0, 5, True, 12_000_000_000)

    def rows(*gpus: Gpu) -> list[str]:
        panel._reading = SystemReading(0.1, 1, 2, gpus=gpus)
        return ["".join(text for text, _ in row) for row in panel.rows(RunView("a run"), time.time(), 40)]

    alone = rows(own)
    assert alone[0].startswith("GPU 5 H100") and alone[3].split() == ["training", "12.0", "GB", "of", "it"]
    assert [row[:5] for row in rows(own, Gpu("NVIDIA H100", number=0))[:2]] == ["GPU 5", "GPU 0"]
    assert rows(Gpu("NVIDIA A100 MIG 1g.5gb", trains=True))[0].startswith("MIG A100 MIG 1g.5gb")


async def test_panel_asks_for_the_gpu_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The UUID of the event `run_started` reaches the reading."""
    asked = []
    panel = SystemPanel(id="machine")
    view = RunView("a run")
    view.apply(RunStarted(pid=7, gpu="b"))
    view.alive = view.caught_up = True
    panel._last = view, time.time()
    panel._stats = SimpleNamespace(read=lambda *given: asked.append(given))  # type: ignore[assignment]
    monkeypatch.setattr(SystemPanel, "is_on_screen", True)
    await panel._poll()
    assert asked == [(7, "b")]
