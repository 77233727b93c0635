"""State that two parts of a run share, or that is in no state dict: found by random cases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, WeightedRandomSampler

from stoker.engine import Task
from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.events import Evaluated, Event
from stoker.engine.session import train
from tests.support import inexact_tasks as tasks
from tests.support.in_process import Run, create, interrupted
from tests.support.process_runner import assert_same_run
from tests.support.random_tasks import Langevin, SavedStream


class EvaluateAt(Controls):
    """Asks for an evaluation at one batch."""

    def __init__(self, poll: int) -> None:
        super().__init__()
        self.polls_left = poll

    def pending(self, now: float) -> bool:
        self.polls_left -= 1
        if self.polls_left == 0:
            self.send(Command(command="evaluate"))
        return super().pending(now)


def split_task() -> Task:
    """A data set with a state, of which one part is for evaluation."""
    return replace(tasks.saved_rows(), test=None)


def shared_loader() -> Task:
    rows = tasks.SavedRows()
    sampler = WeightedRandomSampler([1.0] * tasks.ROWS, tasks.ROWS)
    return replace(
        tasks.saved_rows(),
        train=DataLoader(rows, batch_size=8, sampler=sampler),
        test=DataLoader(rows, batch_size=8, sampler=torch.utils.data.SubsetRandomSampler(range(8))),
    )


@pytest.mark.parametrize("make", [split_task, shared_loader])
def test_evaluation_leaves_the_state_of_a_shared_data_set(make: Any, tmp_path: Path) -> None:
    """A command to evaluate changes no bit of the training, and a resumed run measures the same."""
    whole, resumed = interrupted(tmp_path, make, stop_at=7)
    assert_same_run(whole.folder, resumed.folder)
    watched, events = create(tmp_path, "own"), list[Event]()
    train(watched, EvaluateAt(4), events.append, function=make)
    assert [event.step for event in events if isinstance(event, Evaluated) and event.cause == "command"]
    assert_same_run(whole.folder, watched)


def test_scaler_of_an_unfinished_window_is_resumed(tmp_path: Path) -> None:
    """The stream ends right after the resume, so the optimizer steps before any loss was scaled."""
    whole, resumed = interrupted(
        tmp_path,
        lambda: tasks.task(train=SavedStream(torch.float32, rewinds=True)),
        stop_at=4,
        precision="fp16",
        accumulate=2,
        batch_size=9,
    )
    assert resumed.finished.cause == "completed", resumed.finished.message
    assert_same_run(whole.folder, resumed.folder)


class Odd(nn.Module):
    """A model with a counter and a hidden state that also an evaluation changes."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.hidden, self.calls = nn.Linear(tasks.FEATURES, tasks.CLASSES), torch.zeros(tasks.CLASSES), 0

    def forward(self, inputs: Tensor) -> Tensor:
        self.calls += 1
        outputs = self.layer(inputs) + self.hidden * (1 + 0.01 * self.calls)
        self.hidden = outputs.detach().mean(0)
        return outputs  # type: ignore[no-any-return]


class Aliased(nn.Module):
    """A model whose evaluation sets its hidden state to a constant, and changes another in place."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.start = nn.Linear(tasks.FEATURES, tasks.CLASSES), torch.ones(tasks.CLASSES)
        self.hidden, self.total = self.start, torch.zeros(tasks.CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        if not self.training:
            self.hidden = self.start
        outputs = self.layer(inputs) + self.hidden + 0.01 * self.total
        self.hidden = outputs.detach().mean(0) + self.start
        self.total += 1
        return outputs  # type: ignore[no-any-return]


def aliased() -> Task:
    return tasks.task(model=Aliased())


def odd() -> Task:
    return tasks.task(model=Odd())


@pytest.mark.parametrize(("make", "names"), [(odd, {"hidden", "calls"}), (aliased, {"hidden", "total"})])
def test_plain_attributes_of_a_module_are_resumed(make: Any, names: set[str], tmp_path: Path) -> None:
    """They are in the checkpoint, and an evaluation by hand leaves them as they were."""
    whole, resumed = interrupted(tmp_path, make, stop_at=7, resumes=2)
    assert_same_run(whole.folder, resumed.folder)
    saved = checkpoint.read(whole.folder.checkpoints / "latest.pt")["attributes"]
    assert saved.keys() == {"model"} and saved["model"].keys() == names
    watched = create(tmp_path, "own")
    train(watched, EvaluateAt(4), lambda event: None, function=make)
    assert_same_run(whole.folder, watched)
    assert whole.warnings("inexact") == []


@pytest.mark.parametrize("given", [{}, {"workers": 1}, {"split": "holdout:0.3"}])
def test_number_of_a_data_set_that_changes_is_warned_of(given: dict[str, Any], tmp_path: Path) -> None:
    """Also where a worker changes its copy, and where the data set is split."""

    def make() -> Task:
        return replace(tasks.curriculum_rows(), test=None if "split" in given else tasks.pairs(2))

    (message,) = Run(create(tmp_path, "own", **given), function=make).warnings("inexact")
    assert message.startswith("`read` of the data set `CurriculumRows` changes while it is read")


@pytest.mark.parametrize("kind", ["saved_stream", "rewinding_stream"])
def test_optimizer_that_draws_is_resumed_at_the_end_of_a_stream(kind: str, tmp_path: Path) -> None:
    """The step of an unfinished window draws the same, whether or not its process read the stream to its end."""

    def make() -> Task:
        stream = SavedStream(torch.float32, rewinds=kind == "rewinding_stream")
        return tasks.task(train=stream, optimizer=lambda model, lr: Langevin(model.parameters(), lr))

    whole, resumed = interrupted(tmp_path, make, stop_at=4, accumulate=2, batch_size=9)
    assert_same_run(whole.folder, resumed.folder)


def test_draws_of_evaluation_data_in_workers_are_warned_of(tmp_path: Path) -> None:
    """The metric of a resumed run differs: each worker draws from a generator of its own."""
    (message,) = Run(create(tmp_path, "own", workers=1), function=tasks.measured_rows).warnings("inexact")
    assert message.startswith("`NumpyRows` yields another item when it is read again")
