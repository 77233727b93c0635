"""The memory of a device: what a release, a fold and a failure give back."""

from __future__ import annotations

import copy
import gc
from pathlib import Path
from typing import Any

import pytest
import torch

from stoker.engine.runs.commands import Command
from stoker.engine.runs.events import CommandAnswered
from tests.support import device_tasks as tasks
from tests.support.device_runs import Script, different, run
from tests.support.fake_cuda import FakeCuda, FakeMps

RELEASE = Command(command="pause", release=True)
SMALL = 100  # bytes


@pytest.mark.parametrize(("function", "at"), [(tasks.augmented, 12), (tasks.whole, 6)])
def test_release_gives_the_memory_back(function: Any, at: int, tmp_path: Path) -> None:
    """While a run is released, no tensor of more than a few numbers stays on the device, and its end is the same."""
    stays: list[tuple[int, str, str]] = []
    with FakeCuda() as device:

        def look() -> None:
            gc.collect()
            stays.extend(device.alive())

        released = run(tmp_path, function, Script({at: RELEASE}, look))
    with FakeCuda():
        plain = run(tmp_path, function)
    assert [row for row in stays if row[0] > SMALL] == []
    assert different(plain.state["model"], released.state["model"]) == []


def test_release_moves_objects_of_the_tasks_own(tmp_path: Path) -> None:
    """An average of the weights, a second optimizer and tensors in `Task(state=…)` leave the device and come back."""

    def function() -> Any:
        task = tasks.augmented()
        average = copy.deepcopy(task.model).to("cuda")
        second = torch.optim.Adam(average.parameters(), 0.01)
        second.state[average[0].weight]["exp_avg"] = torch.ones(8, 6, device="cuda")
        task.state = {"average": average, "second": second, "parts": {"a": torch.zeros(64, device="cuda")}}
        on_host["kept"] = torch.zeros(64)
        task.state["kept"] = on_host["kept"]
        return task

    on_host: dict[str, torch.Tensor] = {}
    stays: list[tuple[int, str, str]] = []
    with FakeCuda() as device:

        def look() -> None:
            gc.collect()
            stays.extend(device.alive())

        def moved_back() -> None:
            places.append(on_host["kept"].device.type)

        places: list[str] = []
        released = run(tmp_path, function, Script({12: RELEASE, 14: moved_back}, look))
    with FakeCuda():
        plain = run(tmp_path, function)
    assert [row for row in stays if row[0] > SMALL] == []
    assert places == ["cpu"], "what was on the host stays there"
    assert different(plain.state, released.state) == []


def test_release_says_what_it_cannot_give_back(tmp_path: Path) -> None:
    """The answer says that the process keeps CUDA's own context."""
    with FakeCuda():
        done = run(tmp_path, tasks.augmented, Script({12: RELEASE}))
    answer = next(event for event in done.events if isinstance(event, CommandAnswered) and event.command == "pause")
    assert "of cuda:0" in answer.message and "until the process ends" in answer.message


def test_release_on_mps_gives_the_memory_back(tmp_path: Path) -> None:
    """On Metal a release leaves nothing on the device either, and its answer does not speak of CUDA."""
    stays: list[tuple[int, str, str]] = []
    with FakeMps() as device:

        def look() -> None:
            gc.collect()
            stays.extend(device.alive())

        done = run(tmp_path, tasks.augmented, Script({12: RELEASE}, look), device="mps")
    answer = next(event for event in done.events if isinstance(event, CommandAnswered) and event.command == "pause")
    assert answer.status == "done" and "MiB of mps" in answer.message and "CUDA" not in answer.message
    assert done.finished.cause == "completed" and [row for row in stays if row[0] > SMALL] == []


def test_resume_that_finds_no_room_holds_nothing(tmp_path: Path) -> None:
    """A resume of a released run that finds too little memory gives back what it took, and can be tried again."""
    held: list[int] = []
    with FakeCuda() as device:

        def paused() -> None:
            gc.collect()
            held.append(device.held())
            device.room = held[0] + 2000 if len(held) == 1 else None

        done = run(tmp_path, tasks.augmented, Script({12: RELEASE}, paused), epochs=3)
    assert len(held) == 2 and held[1] <= held[0]
    assert done.finished.cause == "completed"


def test_folds_take_the_memory_of_one(tmp_path: Path) -> None:
    """The device holds one fold at a time, and nothing after the run."""
    most = {}
    for split in ("holdout:0.5", "kfold:4"):
        with FakeCuda() as device:
            peak = [0]

            def look(device: FakeCuda = device, peak: list[int] = peak) -> None:
                peak[0] = max(peak[0], device.held("cuda:0"))

            run(tmp_path, tasks.augmented, Script(dict.fromkeys(range(1, 200), look)), split=split)
            assert [row for row in device.alive() if row[0] > SMALL] == []
        most[split] = peak[0]
    assert most["kfold:4"] < 2 * most["holdout:0.5"]


def test_memory_of_a_finished_run_is_free_at_once(tmp_path: Path) -> None:
    """A finished run leaves nothing on the device, without waiting for the garbage collector."""
    gc.disable()
    try:
        with FakeCuda() as device:
            seen: list[Any] = []
            done = run(tmp_path, tasks.augmented, Script({1: lambda: seen.append(device.held())}), collect=False)
            assert done.finished.cause == "completed" and seen[0] > SMALL
            assert [row for row in device.alive() if row[0] > SMALL] == []
    finally:
        gc.enable()


@pytest.mark.parametrize("accumulate", [1, 2])
def test_out_of_memory_leaves_the_state_of_the_last_step(accumulate: int, tmp_path: Path) -> None:
    """A step that finds no memory is undone, so the resumed run ends with the same bits."""
    with FakeCuda():
        whole = run(tmp_path, tasks.augmented, accumulate=accumulate)
    for extra in (100, 700, 1500):
        with FakeCuda() as device:

            def tighten(device: FakeCuda = device, extra: int = extra) -> None:
                device.room = device.held() + extra

            cut = run(tmp_path, tasks.augmented, Script({5: tighten}), accumulate=accumulate)
        if cut.finished.cause == "completed":
            continue
        assert "out of memory" in cut.finished.message
        with FakeCuda():
            resumed = cut.resume()
        assert different(whole.state, resumed.state) == []


def test_evaluation_halves_its_batches_where_memory_is_short(tmp_path: Path) -> None:
    """An evaluation that does not fit takes smaller batches, says so once, and measures the same."""
    with FakeCuda(room=400_000):
        tight = run(tmp_path, tasks.wide)
    with FakeCuda():
        roomy = run(tmp_path, tasks.wide)
    assert tight.finished.cause == "completed", tight.finished.message
    assert tight.finished.test["accuracy"] == roomy.finished.test["accuracy"]
    assert tight.finished.test["loss"] == pytest.approx(roomy.finished.test["loss"])
    [note] = [text for text in tight.warnings("note") if "evaluation" in text]
    assert "samples" in note


def test_evaluation_that_never_fits_says_that_it_was_the_evaluation(tmp_path: Path) -> None:
    """Where not even one sample fits, the message names the evaluation and not the training's batch size."""

    def function() -> Any:
        task = tasks.own_step(lambda model, batch: torch.nn.functional.cross_entropy(model(batch[0]), batch[1]))
        evaluate = task.evaluate

        def greedy(model: Any, batch: Any) -> Any:
            batch[0].repeat(100_000, 1)
            return evaluate(model, batch)

        task.evaluate = greedy
        return task

    with FakeCuda(room=400_000):
        finished = run(tmp_path, function).finished
    assert finished.cause == "failed"
    assert "evaluation" in finished.message and "--batch-size" not in finished.message


def test_data_that_does_not_fit_stays_on_the_host(tmp_path: Path) -> None:
    """Data of more than half of the free memory stays on the host, and the run gives the same bits."""
    function = lambda: tasks.task(train=tasks.data(640, 1))  # noqa: E731
    with FakeCuda(room=24_000) as device:
        tight = run(tmp_path, function)
        assert tight.finished.cause == "completed", tight.finished.message
        assert device.waits.total() < 100
    with FakeCuda():
        roomy = run(tmp_path, function)
    assert different(roomy.state["model"], tight.state["model"]) == []
    assert any("host" in text for text in tight.warnings("note"))
