"""The public functions of `import stoker`."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stoker
from stoker.engine.runs.events import RunFinished, RunStarted, Steps

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "plot_a_run.py"


def line(width: int = 2) -> stoker.Task:
    """A linear model of three inputs."""
    import torch
    from torch import nn

    x = torch.linspace(-1, 1, 90).reshape(30, 3)
    model = nn.Sequential(nn.Linear(3, width), nn.Linear(width, 1))
    return stoker.Task(model=model, train=(x, x.sum(1, keepdim=True)), loss=nn.MSELoss(), metrics=["mse"])


def test_train_resume_and_evaluate_work_on_a_function(tmp_path: Path) -> None:
    """A run of two epochs that is extended to three has the weights of one of three epochs."""
    events: list[stoker.events.Event] = []
    options: dict[str, Any] = {"runs": tmp_path, "parameters": {"width": 3}, "batch_size": 8}
    folder = stoker.train(line, name="short", on_event=events.append, epochs=2, **options)
    assert isinstance(events[0], RunStarted) and isinstance(events[-1], RunFinished)
    assert folder.record().parameters == {"width": 3}
    stoker.resume("short", runs=tmp_path, task=line, epochs=3)
    long = stoker.train(line, name="long", epochs=3, **options)
    for name in ("weights.pt",):
        stoker.export(folder, tmp_path / "a" / name, checkpoint="latest")
        stoker.export(long, tmp_path / "b" / name, checkpoint="latest")
    import torch

    short_weights, long_weights = (torch.load(tmp_path / one / "weights.pt") for one in "ab")
    assert all(torch.equal(short_weights[name], long_weights[name]) for name in long_weights)
    steps, losses = stoker.RunHistory.read(folder).losses
    assert steps.tolist() == list(range(1, 10)) and losses.dtype == np.float32
    said = [loss for event in events if isinstance(event, Steps) for loss in event.losses]
    assert losses[: len(said)].tolist() == pytest.approx(said)


def test_a_built_in_task_is_trained_by_name_and_evaluated(tmp_path: Path) -> None:
    """The name in the record is the one that the command line takes."""
    folder = stoker.train("iris", runs=tmp_path, epochs=200, device="cpu")
    assert folder.record().task == "iris"
    assert stoker.open_run(folder.name, runs=tmp_path).path == folder.path
    assert [run.name for run in stoker.list_runs(tmp_path)] == [folder.name]
    assert 0 <= stoker.evaluate(folder)["metrics"]["accuracy"] <= 1
    assert stoker.export(folder, tmp_path / "metrics.csv").read_text().startswith("fold,step,epoch,train_loss")


def test_a_wrong_request_and_a_failed_training_raise(tmp_path: Path) -> None:
    """A wrong request raises RequestError, and a failed training raises TrainingError."""

    def broken() -> stoker.Task:
        task = line()
        task.step = lambda model, batch: 1 / 0  # type: ignore[assignment,return-value]
        return task

    with pytest.raises(stoker.SettingError, match="--epochs"):
        stoker.train("iris", runs=tmp_path, epochs=0)
    with pytest.raises(stoker.TaskError, match="there is no task"):
        stoker.train("irises", runs=tmp_path)
    with pytest.raises(stoker.RunError, match="no run 'none'"):
        stoker.resume("none", runs=tmp_path)
    with pytest.raises(stoker.TrainingError, match="ZeroDivisionError"):
        stoker.train(broken, runs=tmp_path, epochs=1)


def test_a_command_to_a_run_without_an_engine_raises(tmp_path: Path) -> None:
    """An unknown command is refused before the run is read."""
    folder = stoker.train(line, runs=tmp_path, epochs=1)
    with pytest.raises(stoker.RunError, match="no engine to take commands"):
        stoker.send(folder, "pause")
    with pytest.raises(stoker.RequestError, match="unknown command 'dance'"):
        stoker.send(folder, "dance")


def test_every_public_name_can_be_imported() -> None:
    """Each name of `dir(stoker)` exists, and no other does; `run` is None while no run is open."""
    needs_transformers = set() if importlib.util.find_spec("transformers") else {"tend"}
    names = set(dir(stoker)) - needs_transformers - {"run"}
    assert all(getattr(stoker, name) is not None for name in names)
    assert stoker.run is None
    for name in needs_transformers:
        with pytest.raises(ImportError, match=r"pip install 'stoker\[transformers\]'"):
            getattr(stoker, name)
    with pytest.raises(AttributeError, match="no attribute 'Trainer'"):
        _ = stoker.Trainer  # type: ignore[attr-defined]


def test_the_example_reads_a_run_and_plots_it(tmp_path: Path) -> None:
    """`docs/examples/plot_a_run.py` writes an image."""
    pytest.importorskip("matplotlib")
    stoker.train(line, name="one", runs=tmp_path, epochs=2)
    done = subprocess.run(
        [sys.executable, EXAMPLE, "one", tmp_path], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "test mse" in done.stdout
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
