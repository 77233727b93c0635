"""Tasks that each keep something outside a checkpoint, as people write them; and tasks that only seem to."""

from __future__ import annotations

import copy
import os
import random
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, Sampler, TensorDataset, WeightedRandomSampler

from stoker.engine import Task

FEATURES, CLASSES, ROWS = 5, 3, 40
SETTINGS = {"epochs": 4, "batch_size": 8, "lr": 0.05, "device": "cpu", "optimizer": "adam", "threads": 1}
cross_entropy = nn.functional.cross_entropy
global_rng = np.random.default_rng(3)
global_average: dict[str, Tensor] = {}


def pairs(seed: int = 1, rows: int = ROWS) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(rows, FEATURES, generator=generator)
    return inputs, inputs[:, :CLASSES].argmax(1)


def task(**more: Any) -> Task:
    usual: dict[str, Any] = {"model": nn.Linear(FEATURES, CLASSES), "train": pairs(1), "test": pairs(2)}
    return Task(**{**usual, "loss": nn.CrossEntropyLoss(), "metrics": ["accuracy"], "settings": SETTINGS, **more})


class Rows(Dataset[Any]):
    """Rows of `pairs`; a subclass changes them."""

    def __init__(self) -> None:
        self.inputs, self.targets = pairs()

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, row: int) -> Any:
        return self.change(self.inputs[row]), self.targets[row]

    def change(self, row: Tensor) -> Tensor:
        return row


class NumpyRows(Rows):
    def __init__(self) -> None:
        super().__init__()
        self.rng = np.random.default_rng(1)

    def change(self, row: Tensor) -> Tensor:
        return row * float(self.rng.uniform(0.5, 1.5))


class TorchRows(Rows):
    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(1)

    def change(self, row: Tensor) -> Tensor:
        return row + torch.randn(FEATURES, generator=self.generator)


class Noise:
    """A transform with a generator of its own, as augmentation libraries have."""

    def __init__(self) -> None:
        self.random = random.Random(1)

    def __call__(self, row: Tensor) -> Tensor:
        return row * self.random.uniform(0.5, 1.5)


class TransformedRows(Rows):
    def __init__(self) -> None:
        super().__init__()
        self.transform = Noise()

    def change(self, row: Tensor) -> Tensor:
        return self.transform(row)


class CountingRows(Rows):
    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    def change(self, row: Tensor) -> Tensor:
        self.read += 1
        return row * (1 + 0.01 * self.read)


class CurriculumRows(Rows):
    """Harder once enough rows were read: no difference between two reads at the start."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    def change(self, row: Tensor) -> Tensor:
        self.read += 1
        return row * (1.0 if self.read < 20 else 2.0)


class CachingRows(Rows):
    """Keeps what a row was at its first read."""

    def __init__(self) -> None:
        super().__init__()
        self.cache: dict[int, Tensor] = {}

    def __getitem__(self, row: int) -> Any:
        if row not in self.cache:
            self.cache[row] = self.inputs[row] + torch.randn(FEATURES)
        return self.cache[row], self.targets[row]


class ClockRows(Rows):
    def change(self, row: Tensor) -> Tensor:
        return row * (1 + (time.time_ns() % 1000) / 1000)


class OwnOrder(Sampler[int]):
    def __init__(self) -> None:
        self.random = random.Random(4)

    def __iter__(self) -> Iterator[int]:
        rows = list(range(ROWS))
        self.random.shuffle(rows)
        return iter(rows)

    def __len__(self) -> int:
        return ROWS


class OwnStream(IterableDataset[Any]):
    def __init__(self) -> None:
        self.inputs, self.targets = pairs()
        self.generator = torch.Generator().manual_seed(1)

    def __len__(self) -> int:
        return ROWS

    def __iter__(self) -> Iterator[Any]:
        for row in torch.randperm(ROWS, generator=self.generator).tolist():
            yield self.inputs[row], self.targets[row]


def numpy_rows() -> Task:
    return task(train=NumpyRows())


def torch_rows() -> Task:
    return task(train=TorchRows())


def transformed_rows() -> Task:
    return task(train=TransformedRows())


def measured_rows() -> Task:
    return task(test=NumpyRows())


def worker_rows() -> Task:
    return task(train=NumpyRows(), settings={**SETTINGS, "workers": 1})


def counting_rows() -> Task:
    return task(train=CountingRows())


def curriculum_rows() -> Task:
    return task(train=CurriculumRows())


def caching_rows() -> Task:
    return task(train=CachingRows())


def clock_rows() -> Task:
    return task(train=ClockRows())


def own_order() -> Task:
    return task(train=DataLoader(TensorDataset(*pairs()), batch_size=8, sampler=OwnOrder()))


def own_stream() -> Task:
    return task(train=OwnStream())


def set_order() -> Task:
    """Rows in the order of a set of texts, which every process shuffles anew."""
    order = [int(name) for name in {str(row) for row in range(ROWS)}]
    inputs, targets = pairs()
    return task(train=(inputs[order], targets[order]))


def unseeded_data() -> Task:
    noise = torch.from_numpy(np.random.default_rng().normal(size=(ROWS, FEATURES))).float()
    return task(train=(pairs()[0] + noise, pairs()[1]))


def closure_rng() -> Task:
    rng = np.random.default_rng(1)

    def step(model: nn.Module, batch: Any) -> Tensor:
        return cross_entropy(model(batch[0] * float(rng.uniform(0.5, 1.5))), batch[1])

    return task(step=step)


def step_with_global_rng(model: nn.Module, batch: Any) -> Tensor:
    return cross_entropy(model(batch[0] * float(global_rng.uniform(0.5, 1.5))), batch[1])


def module_rng() -> Task:
    return task(step=step_with_global_rng)


def closure_average() -> Task:
    given = task()
    average = copy.deepcopy(given.model)

    def step(model: nn.Module, batch: Any) -> Tensor:
        with torch.no_grad():
            for mine, new in zip(average.parameters(), model.parameters(), strict=True):
                mine.lerp_(new, 0.2)
        return cross_entropy(model(batch[0]), batch[1])

    def evaluate(model: nn.Module, batch: Any) -> Any:
        outputs = average(batch[0])
        return cross_entropy(outputs, batch[1]), outputs, batch[1]

    given.step, given.evaluate = step, evaluate
    return given


def module_average() -> Task:
    global_average.clear()

    def step(model: nn.Module, batch: Any) -> Tensor:
        for name, value in model.named_parameters():
            global_average[name] = 0.9 * global_average.get(name, value.detach()) + 0.1 * value.detach()
        pull = sum((value - global_average[name]).square().sum() for name, value in model.named_parameters())
        return cross_entropy(model(batch[0]), batch[1]) + pull

    return task(step=step)


def closure_hidden() -> Task:
    hidden = torch.zeros(CLASSES)

    def step(model: nn.Module, batch: Any) -> Tensor:
        nonlocal hidden
        outputs = model(batch[0]) + hidden
        hidden = outputs.detach().mean(0)
        return cross_entropy(outputs, batch[1])

    return task(step=step)


def closure_counter() -> Task:
    steps = 0

    def step(model: nn.Module, batch: Any) -> Tensor:
        nonlocal steps
        steps += 1
        return cross_entropy(model(batch[0]), batch[1]) * (1.0 if steps < 4 else 0.5)

    return task(step=step)


def closure_schedule() -> Task:
    """A LambdaLR that `step` drives."""
    holder: dict[str, Any] = {}

    def optimizer(model: nn.Module, lr: float) -> torch.optim.Optimizer:
        made = torch.optim.SGD(model.parameters(), lr)
        holder["schedule"] = torch.optim.lr_scheduler.LambdaLR(made, lambda step: 0.8**step)
        return made

    def step(model: nn.Module, batch: Any) -> Tensor:
        holder["schedule"].step()
        return cross_entropy(model(batch[0]), batch[1])

    return task(step=step, optimizer=optimizer)


def clock_step() -> Task:
    def step(model: nn.Module, batch: Any) -> Tensor:
        return cross_entropy(model(batch[0]), batch[1]) * (1 + int.from_bytes(os.urandom(1), "big") / 100)

    return task(step=step)


class Centre(nn.Module):
    """A loss whose centre is a plain attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.centre = torch.zeros(CLASSES)

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        self.centre = 0.9 * self.centre + 0.1 * outputs.detach().mean(0)
        return cross_entropy(outputs - self.centre, targets)


def loss_attribute() -> Task:
    return task(loss=Centre())


class Carrying(nn.Module):
    """A model that carries a hidden state from batch to batch in a plain attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.hidden = nn.Linear(FEATURES, CLASSES), torch.zeros(CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs = self.layer(inputs) + self.hidden
        if self.training:
            self.hidden = outputs.detach().mean(0)
        return outputs  # type: ignore[no-any-return]


def model_attribute() -> Task:
    return task(model=Carrying())


class Lookahead(torch.optim.SGD):
    """Steps back to slow weights that no state dict has."""

    def __init__(self, parameters: Any, lr: float) -> None:
        super().__init__(parameters, lr)
        self.slow = [p.detach().clone() for group in self.param_groups for p in group["params"]]
        self.count = 0

    def step(self, closure: Any = None) -> Any:
        super().step(closure)
        self.count += 1
        with torch.no_grad():
            for p, slow in zip(self.param_groups[0]["params"], self.slow, strict=True):
                slow.lerp_(p, 0.5)
                if self.count % 2 == 0:
                    p.copy_(slow)


def own_optimizer() -> Task:
    return task(optimizer=lambda model, lr: Lookahead(model.parameters(), lr))


def second_optimizer() -> Task:
    model = nn.Sequential(nn.Linear(FEATURES, 6), nn.Tanh(), nn.Linear(6, CLASSES))
    other = torch.optim.Adam(model[0].parameters(), 0.02)

    def step(model: nn.Module, batch: Any) -> Tensor:
        other.step()
        other.zero_grad()
        return cross_entropy(model(batch[0]), batch[1])

    return task(model=model, step=step, optimizer=lambda m, lr: torch.optim.SGD(m[2].parameters(), lr))


def changing_evaluation() -> Task:
    """An evaluation that changes the weights."""

    def evaluate(model: nn.Module, batch: Any) -> Any:
        model.weight.data.mul_(0.99)  # type: ignore[operator,union-attr]
        outputs = model(batch[0])
        return cross_entropy(outputs, batch[1]), outputs, batch[1]

    return task(evaluate=evaluate)


INEXACT = (
    "numpy_rows",
    "torch_rows",
    "transformed_rows",
    "measured_rows",
    "counting_rows",
    "curriculum_rows",
    "caching_rows",
    "clock_rows",
    "worker_rows",
    "own_order",
    "own_stream",
    "unseeded_data",
    "closure_rng",
    "module_rng",
    "closure_average",
    "module_average",
    "closure_hidden",
    "closure_counter",
    "closure_schedule",
    "clock_step",
    "own_optimizer",
    "second_optimizer",
    "changing_evaluation",
)
"""Tasks whose resume differs; `set_order` needs processes of its own."""


class BufferCentre(Centre):
    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.centre: Tensor
        self.register_buffer("centre", torch.zeros(CLASSES))


class Remembering(nn.Module):
    """A model with a buffer outside its state dict, dropout, batch norm and a limited embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.drop = nn.BatchNorm1d(FEATURES), nn.Dropout(0.2)
        self.table = nn.Embedding(ROWS, FEATURES, max_norm=1.0)
        self.layer = nn.utils.parametrizations.weight_norm(nn.Linear(FEATURES, CLASSES))
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(FEATURES), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        if self.training:
            self.mean = self.mean * 0.9 + inputs.mean(0) * 0.1
        rows = (inputs[:, 0].abs() * 10).long() % ROWS
        return self.layer(self.drop(self.norm(inputs) - self.mean) + self.table(rows))  # type: ignore[no-any-return]


class SavedRows(CountingRows):
    def state_dict(self) -> dict[str, Any]:
        return {"read": self.read}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.read = state["read"]


class GlobalRows(Rows):
    """Draws from the global generators, and counts its reads for nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    def change(self, row: Tensor) -> Tensor:
        self.read += 1
        return row * random.random() + torch.randn(FEATURES) * float(np.random.rand())


def loss_buffer() -> Task:
    return task(loss=BufferCentre())


def hidden_buffers() -> Task:
    return task(model=Remembering())


def saved_rows() -> Task:
    return task(train=SavedRows())


def global_rows() -> Task:
    return task(train=GlobalRows(), test=GlobalRows())


def weighted_order() -> Task:
    return task(train=DataLoader(GlobalRows(), batch_size=8, sampler=WeightedRandomSampler([1.0] * ROWS, ROWS)))


def saved_state() -> Task:
    given = closure_average()
    average = next(c.cell_contents for c in given.evaluate.__closure__ if isinstance(c.cell_contents, nn.Module))
    given.state = {"average": average}
    return given


def logging_step() -> Task:
    """Counts its steps for a log line alone."""
    steps = 0

    def step(model: nn.Module, batch: Any) -> Tensor:
        nonlocal steps
        steps += 1
        return cross_entropy(model(batch[0]), batch[1])

    return task(step=step)


EXACT = (
    "loss_buffer",
    "loss_attribute",
    "model_attribute",
    "hidden_buffers",
    "saved_rows",
    "global_rows",
    "weighted_order",
    "saved_state",
    "logging_step",
)
