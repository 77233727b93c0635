"""Objects of the task's own, its loss, its data set and buffers take part in a checkpoint."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler

from stoker.engine import Task
from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.errors import CheckpointError, TaskError
from tests.support.in_process import Run, create, interrupted
from tests.support.process_runner import assert_same_run, checkpoint_state
from tests.support.tasks_for_tests import CLASSES, FEATURES, SETTINGS, data


def plain(**more: Any) -> Task:
    """Return a task of a linear model."""
    usual = {"model": nn.Linear(FEATURES, CLASSES), "train": data(64, 1), "test": data(20, 2)}
    return Task(**{**usual, "loss": nn.CrossEntropyLoss(), "settings": SETTINGS, **more})


class Average:
    """An exponential moving average of a model's weights."""

    def __init__(self, model: nn.Module) -> None:
        self.model = copy.deepcopy(model)

    def update(self, model: nn.Module) -> None:
        with torch.no_grad():
            for mine, new in zip(self.model.parameters(), model.parameters(), strict=True):
                mine.lerp_(new, 0.1)

    def state_dict(self) -> dict[str, Any]:
        return self.model.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state)


def averaging() -> Task:
    """A task that is measured by an average of its weights."""
    task = plain()
    average = Average(task.model)

    def step(model: nn.Module, batch: Any) -> Tensor:
        average.update(model)
        return nn.functional.cross_entropy(model(batch[0]), batch[1])

    def evaluate(model: nn.Module, batch: Any) -> Any:
        outputs = average.model(batch[0])
        return nn.functional.cross_entropy(outputs, batch[1]), outputs, batch[1]

    return replace(task, step=step, evaluate=evaluate, state={"ema": average})


def carrying() -> Task:
    """A task with a hidden state, a counter and tensors in a dict, that a step changes."""
    kept: dict[str, Any] = {"hidden": torch.zeros(CLASSES), "steps": 0, "seen": []}
    scale = torch.ones(())

    def step(model: nn.Module, batch: Any) -> Tensor:
        outputs = model(batch[0]) * float(scale) + kept["hidden"]
        kept["hidden"] = outputs.detach().mean(0)
        kept["steps"] += 1
        kept["seen"].append(kept["steps"])
        scale.mul_(0.99)
        return nn.functional.cross_entropy(outputs, batch[1]) * (0.5 if kept["steps"] > 12 else 1.0)

    return replace(plain(), step=step, state={"kept": kept, "scale": scale})


def drawing() -> Task:
    """A task with generators of its own."""
    torchs, numpys = torch.Generator().manual_seed(1), np.random.default_rng(1)
    older = np.random.Generator(np.random.MT19937(1))

    def step(model: nn.Module, batch: Any) -> Tensor:
        noise = torch.randn(CLASSES, generator=torchs) * numpys.random() * older.random()
        return nn.functional.cross_entropy(model(batch[0]) + noise, batch[1])

    return replace(plain(), step=step, state={"torch": torchs, "numpy": numpys, "older": older})


def rivalling() -> Task:
    """A task whose step drives a second optimizer."""
    model = nn.Sequential(nn.Linear(FEATURES, 8), nn.Tanh(), nn.Linear(8, CLASSES))
    other = torch.optim.Adam(model[0].parameters(), 0.01)

    def step(model: nn.Module, batch: Any) -> Tensor:
        other.step()
        other.zero_grad()
        return nn.functional.cross_entropy(model(batch[0]), batch[1])

    return plain(
        model=model,
        step=step,
        optimizer=lambda model, lr: torch.optim.SGD(model[2].parameters(), lr),
        state={"body": other},
    )


class Centred(nn.Module):
    """A loss with trained weights and a centre that it moves."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(CLASSES))
        self.centre: Tensor
        self.register_buffer("centre", torch.zeros(CLASSES))

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        loss = nn.functional.cross_entropy(outputs * self.weight - self.centre, targets)
        self.centre.lerp_(outputs.detach().mean(0), 0.1)
        return loss


def centring() -> Task:
    """A task whose loss has weights that its optimizer trains."""
    loss = Centred()
    return plain(loss=loss, optimizer=lambda model, lr: torch.optim.Adam([*model.parameters(), *loss.parameters()], lr))


class Remembering(nn.Module):
    """A network with a buffer that is not in its state dict."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(FEATURES, CLASSES)
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(FEATURES), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        if self.training:
            self.mean = self.mean * 0.9 + inputs.mean(0) * 0.1
        return self.body(inputs - self.mean)  # type: ignore[no-any-return]


class Cached(Dataset[tuple[Tensor, Tensor]]):
    """A data set that counts how often a row was read."""

    def __init__(self) -> None:
        self.inputs, self.targets = data(64, 1)
        self.reads = torch.zeros(64)

    def __len__(self) -> int:
        return 64

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        self.reads[row] += 1
        return self.inputs[row] * self.reads[row], self.targets[row]

    def state_dict(self) -> dict[str, Any]:
        return {"reads": self.reads.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.reads = state["reads"].clone()


def weighted() -> Task:
    """A task whose loader has a sampler, and whose data set has a state."""
    return plain(train=DataLoader(Cached(), batch_size=6, sampler=WeightedRandomSampler([1.0] * 64, 64)))


MAKERS: list[Callable[[], Task]] = [
    averaging,
    carrying,
    drawing,
    rivalling,
    centring,
    lambda: plain(model=Remembering()),
    lambda: plain(train=Cached()),
    weighted,
]
NAMES = ["ema", "dict", "generators", "optimizer", "loss", "buffer", "dataset", "sampler"]


@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize("make", MAKERS, ids=NAMES)
def test_part_is_resumed(make: Callable[[], Task], accumulate: int, tmp_path: Path) -> None:
    """Stopped within an epoch, and again, the run ends with the same bits, also those of the parts."""
    whole, resumed = interrupted(tmp_path, make, stop_at=15, resumes=1, accumulate=accumulate)
    assert_same_run(whole.folder, resumed.folder)
    assert whole.warnings("inexact") == resumed.warnings("inexact") == []
    whole, resumed = interrupted(tmp_path, make, stop_at=7, resumes=2, accumulate=accumulate)
    assert_same_run(whole.folder, resumed.folder)


def test_checkpoint_without_the_part_warns(tmp_path: Path) -> None:
    """An older checkpoint has no state of the part: the run keeps the new part and warns."""
    folder = create(tmp_path, "own")
    Run(folder, stop_at=8, function=centring)
    saved = checkpoint.read(folder.checkpoints / "latest.pt")
    del saved["loss"]
    checkpoint.write(folder.checkpoints, ["latest.pt"], saved)
    again = Run(folder, function=lambda: replace(centring(), state={"ema": {"value": 1}}))
    assert again.finished.cause == "completed"
    (message,) = again.warnings("inexact")
    assert message == "The checkpoint has no state of loss, ema: they start anew."


def test_part_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    """The error names the part."""
    folder = create(tmp_path, "own")
    Run(folder, stop_at=8, function=averaging)
    other = replace(averaging(), state={"ema": nn.Linear(2, 2)})
    with pytest.raises(CheckpointError, match="the checkpoint's state of 'ema' does not fit the task's"):
        Run(folder, function=lambda: other)


@pytest.mark.parametrize(("state", "named"), [({"ema": 3}, "state 'ema' is a int"), ([1], "state is a list")])
def test_part_of_another_kind_is_refused(state: Any, named: str, tmp_path: Path) -> None:
    """The error says what can be saved."""
    with pytest.raises(TaskError, match=named):
        Run(create(tmp_path, "own"), function=lambda: plain(state=state))


def test_old_checkpoints_hold_no_new_keys(tmp_path: Path) -> None:
    """A task without such parts has the same checkpoint as before."""
    done = Run(create(tmp_path, "own", epochs=1), function=plain)
    new = {"state", "loss", "buffers", "in_evaluation_mode", "other_gradients"}
    assert not new & checkpoint_state(done.folder).keys()


def in_closure(way: str) -> Task:
    """A task whose step holds something that changes, or that stays."""
    task = plain()
    average, teacher = Average(task.model), copy.deepcopy(task.model)
    hidden, weights = torch.zeros(CLASSES), torch.ones(CLASSES)
    generator, torchs, kept = np.random.default_rng(1), torch.Generator(), {"hidden": torch.zeros(CLASSES)}

    def of_average(outputs: Tensor) -> Tensor:
        average.update(task.model)
        return outputs

    def of_rebound(outputs: Tensor) -> Tensor:
        nonlocal hidden
        hidden = outputs.detach().mean(0)
        return outputs + hidden

    def of_dict(outputs: Tensor) -> Tensor:
        kept["hidden"] = outputs.detach().mean(0)
        return outputs

    def of_numpy(outputs: Tensor) -> Tensor:
        return outputs * generator.random()

    def of_torch(outputs: Tensor) -> Tensor:
        return outputs + torch.randn(CLASSES, generator=torchs)

    def of_constants(outputs: Tensor) -> Tensor:
        return outputs * weights + teacher(torch.ones(FEATURES)).detach()

    ways = {"average": of_average, "hidden": of_rebound, "kept": of_dict, "generator": of_numpy, "torchs": of_torch}
    change = {**ways, "": of_constants}[way]
    task.evaluate = lambda model, batch: (change(model(batch[0])).sum(), model(batch[0]), batch[1])
    task.loss = lambda outputs, targets: nn.functional.cross_entropy(change(outputs), targets)
    return task


@pytest.mark.parametrize("way", ["average", "hidden", "kept", "generator", "torchs", ""])
def test_object_in_a_closure_that_changes_is_warned_of(way: str, tmp_path: Path) -> None:
    """Once for each function that holds it, by its name; what does not change is not warned of."""
    messages = Run(create(tmp_path, "own"), function=lambda: in_closure(way)).warnings("inexact")
    assert all(message.startswith(f"`{way}`, which the task's `") for message in messages)
    assert len(messages) == (2 if way else 0)
