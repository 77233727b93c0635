"""An evaluation leaves the training as it was, so that one more of them, or a resume, changes nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stoker.engine import Task
from stoker.engine.evaluation import checkpoint_evaluation
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.session import train
from tests.support.in_process import Run, create, interrupted
from tests.support.process_runner import assert_same_run, checkpoint_state, differences
from tests.support.tasks_for_tests import CLASSES, FEATURES, SETTINGS, data


def task_of(model: nn.Module, **more: Any) -> Task:
    """Return a task for `model` with data in memory."""
    parts: dict[str, Any] = {"train": data(64, 1), "test": data(20, 2), "loss": nn.CrossEntropyLoss(), **more}
    return Task(model=model, settings=SETTINGS, **parts)


def frozen_norm() -> Task:
    """A task whose batch norm is frozen: it stays in evaluation mode."""
    norm = nn.BatchNorm1d(8)
    norm.running_mean.fill_(0.5)
    norm.eval()
    return task_of(nn.Sequential(nn.Linear(FEATURES, 8), norm, nn.ReLU(), nn.Linear(8, CLASSES)))


class FrozenLater(nn.Module):
    """A network that freezes its batch norm in the fifth batch of the second epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(FEATURES, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, CLASSES))
        self.batches: Tensor
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))

    def forward(self, inputs: Tensor) -> Tensor:
        if self.training:
            self.batches += 1
            if self.batches == 16:
                self.body[1].eval()
        return self.body(inputs)  # type: ignore[no-any-return]


class Renormalised(nn.Module):
    """An embedding whose rows are rescaled whenever they are looked up."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(20, 8, max_norm=0.7)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.table((inputs[:, 0].abs() * 10).long().clamp(0, 19)))  # type: ignore[no-any-return]


class AlwaysTraining(nn.BatchNorm1d):
    """A batch norm that never leaves training mode."""

    def train(self, mode: bool = True) -> Any:
        return super().train(True)


def always_training() -> Task:
    """A task whose batch norm takes the statistics of evaluation data too."""
    return task_of(nn.Sequential(nn.Linear(FEATURES, 8), AlwaysTraining(8), nn.Linear(8, CLASSES)))


class EvaluateOften(Controls):
    """Asks for an evaluation and a save now and then; the save is made within an evaluation."""

    polls = 0

    def pending(self, now: float) -> bool:
        """Count the polls."""
        self.polls += 1
        if self.polls % 5 == 0:
            self.send(Command(command="evaluate" if self.polls % 2 else "save"))
        return super().pending(now)


def test_frozen_batch_norm_stays_frozen(tmp_path: Path) -> None:
    """A module that the task put into evaluation mode keeps its statistics."""
    whole, resumed = interrupted(tmp_path, frozen_norm, stop_at=14)
    assert torch.equal(checkpoint_state(whole.folder)["model"]["1.running_mean"], torch.full((8,), 0.5))
    (note,) = whole.warnings("note")
    assert note.startswith("1 modules are in evaluation mode and stay in it (the first is `1`).")
    assert_same_run(whole.folder, resumed.folder)


def test_model_in_evaluation_mode_is_trained_in_training_mode(tmp_path: Path) -> None:
    """A pretrained model often comes in evaluation mode; it is trained like any other."""
    straight, evaluated = (
        Run(create(tmp_path, "own"), function=function)
        for function in (always_training, lambda: task_of(always_training().model.eval()))
    )
    assert_same_run(straight.folder, evaluated.folder)


def test_mode_that_changes_while_training_is_resumed(tmp_path: Path) -> None:
    """A batch norm that was frozen before the save stays frozen after the resume."""
    whole, resumed = interrupted(tmp_path, lambda: task_of(FrozenLater()), stop_at=22)
    assert_same_run(whole.folder, resumed.folder)


@pytest.mark.parametrize("make", [lambda: task_of(Renormalised()), always_training], ids=["max_norm", "statistics"])
def test_evaluation_and_a_save_within_it_change_nothing(make: Callable[[], Task], tmp_path: Path) -> None:
    """Weights that `max_norm` rescales, and statistics of evaluation data, are those of the training again."""

    def batchwise() -> Task:
        task = make()
        task.test = [(row, int(target)) for row, target in zip(*data(20, 2), strict=True)]
        return task

    whole = Run(create(tmp_path, "own"), function=batchwise)
    folder = create(tmp_path, "own")
    train(folder, EvaluateOften(), lambda _: None, function=batchwise)
    one, other = checkpoint_state(whole.folder), checkpoint_state(folder)
    assert differences(one["model"], other["model"]) == []
    assert differences(one["optimizer"], other["optimizer"]) == []


@pytest.mark.parametrize("make", [lambda: task_of(Renormalised()), always_training], ids=["max_norm", "statistics"])
def test_run_stopped_in_an_evaluation_resumes_exactly(make: Callable[[], Task], tmp_path: Path) -> None:
    """The state saved in the middle of an evaluation is the training's."""

    def batchwise() -> Task:
        task = make()
        task.test = [(row, int(target)) for row, target in zip(*data(20, 2), strict=True)]
        return task

    whole, resumed = interrupted(tmp_path, batchwise, stop_at=14)
    assert_same_run(whole.folder, resumed.folder)


class Sampling(nn.Module):
    """A network that draws in evaluation too, from torch's, python's and numpy's generators."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(FEATURES, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        noise = torch.randn(len(inputs), CLASSES) * random.random() * float(np.random.uniform())
        return self.body(inputs) + noise  # type: ignore[no-any-return]


def test_evaluation_that_draws_is_a_function_of_its_step(tmp_path: Path) -> None:
    """A resumed run measures what the whole run measured, and so does an evaluation by hand or of the checkpoint."""
    whole, resumed = interrupted(tmp_path, sampling, stop_at=12)
    assert_same_run(whole.folder, resumed.folder)
    folder = create(tmp_path, "own")
    train(folder, EvaluateOften(), lambda _: None, function=sampling)
    assert_same_run(whole.folder, folder)


def sampling() -> Task:
    """A task whose model draws in evaluation."""
    return task_of(Sampling())


def test_checkpoint_that_draws_is_evaluated_as_in_its_run(tmp_path: Path) -> None:
    """The metrics of a checkpoint are those that the run measured at its step."""
    done = Run(create(tmp_path, f"{__file__}:sampling"))
    assert checkpoint_evaluation.evaluate(done.folder, "latest")["metrics"] == done.finished.test
