"""Random tasks: every kind of model, optimizer, schedule, data, precision and own state."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, Sampler, SubsetRandomSampler, WeightedRandomSampler

from stoker.engine import Task
from tests.support.inexact_tasks import (
    CachingRows,
    CountingRows,
    CurriculumRows,
    Lookahead,
    NumpyRows,
    SavedRows,
    TorchRows,
    TransformedRows,
)
from tests.support.random_models import CLASSES, FEATURES, Langevin, Net, Trained, loss_of

ROWS = 22  # 22 rows are no multiple of most batch sizes

LAYERS = (
    "dropout",
    "norm",
    "frozen_norm",
    "embedding",
    "weight_norm",
    "spectral_norm",
    "buffer",
    "hidden",
    "gru",
    "numpy",
    "hook",
)
LOSSES = ("cross_entropy", "smoothed", "trained", "centred", "attribute", "noisy")
OPTIMIZERS = (
    "sgd", "sgd:momentum=0.9,nesterov=yes", "adam", "adamw:amsgrad=yes", "nadam", "radam", "asgd", "rprop", "adagrad",
    "adadelta", "adamax", "rmsprop:momentum=0.5,centered=yes", "own", "langevin",
)  # fmt: skip
SCHEDULERS = (
    "none", "cosine", "step:size=1,gamma=0.5", "onecycle", "plateau:patience=1", "exponential:gamma=0.9",
    "warmup:steps=1+cosine", "linear",
)  # fmt: skip
DATA = (
    "memory", "full", "augmented", "rows", "saved_rows", "loader", "weighted", "subset", "batched", "epochal",
    "stream", "saved_stream", "rewinding_stream", "both_stream",
)  # fmt: skip
OWN_STATE = (
    "none", "average", "hidden", "counter", "generator", "global", "schedule", "second_optimizer", "saved_average",
    "numpy_rows", "torch_rows", "transformed_rows", "counting_rows", "curriculum_rows", "caching_rows", "own_order",
    "own_stream", "unseeded", "measured_rows",
)  # fmt: skip
PRECISIONS = ("fp32", "bf16", "fp16", "half_weights", "double")
COMMANDS = ("none", "save", "evaluate", "pause", "lr", "evaluate twice")

module_generator = np.random.default_rng(9)


@dataclass(frozen=True)
class Case:
    """One training; the first value of every field is the simplest."""

    layers: tuple[str, ...] = ()
    loss: str = "cross_entropy"
    optimizer: str = "sgd"
    scheduler: str = "none"
    data: str = "memory"
    own_state: str = "none"
    precision: str = "fp32"
    batch_size: int = 6
    workers: int = 0
    accumulate: int = 1
    clip: float | None = None
    split: str | None = None
    eval_every: str = "1epochs"
    command: str = "none"
    command_at: int = 1
    stop_at: int = 2
    stops: int = 1
    deterministic_seed: int = 1


def build(case: Case) -> Task:
    """Return the task of a case, from the start."""
    model = Net(case.layers)
    if case.precision in ("half_weights", "double"):
        model = model.to(torch.bfloat16 if case.precision == "half_weights" else torch.float64)
    dtype = next(model.parameters()).dtype
    loss = loss_of(case.loss)
    task = Task(model, train=_data(case, dtype), test=_measured(case, dtype), loss=loss, metrics=["accuracy"])
    if case.data == "both_stream":
        task.test = task.train
    if case.data == "augmented":
        task.augment = _augment
    if case.optimizer == "own":
        task.optimizer = lambda model, lr: Lookahead(model.parameters(), lr)
    elif case.optimizer == "langevin":
        task.optimizer = lambda model, lr: Langevin(model.parameters(), lr)
    elif isinstance(loss, Trained):
        task.optimizer = lambda model, lr: torch.optim.Adam([*model.parameters(), *loss.parameters()], lr)
    _add_own_state(task, case.own_state)
    return task


def pairs(seed: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return inputs (rows, features) and classes (rows,)."""
    inputs = torch.randn(ROWS, FEATURES, generator=torch.Generator().manual_seed(seed))
    return inputs.to(dtype), inputs[:, :CLASSES].argmax(1)


class NoisyRows(Dataset[Any]):
    """Draws from all global generators."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.inputs, self.targets = pairs(1, dtype)

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, row: int) -> Any:
        noise = torch.randn(FEATURES) * random.random() * float(np.random.rand())
        return self.inputs[row] + noise.to(self.inputs.dtype), self.targets[row]


class OwnOrder(Sampler[int]):
    """Draws the order from a generator of its own."""

    def __init__(self) -> None:
        self.random = random.Random(4)

    def __iter__(self) -> Iterator[int]:
        return iter(self.random.sample(range(ROWS), ROWS))

    def __len__(self) -> int:
        return ROWS


class Epochal(Sampler[int]):
    """An order that depends on the epoch, as a distributed sampler's."""

    epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        return iter(random.Random(self.epoch).sample(range(ROWS), ROWS))

    def __len__(self) -> int:
        return ROWS


class Batched(Sampler[list[int]]):
    """Batches of changing sizes, drawn from the global generators."""

    def __iter__(self) -> Iterator[list[int]]:
        rows = torch.randperm(ROWS).tolist()
        while rows:
            size = random.randint(2, 5)
            taken, rows = rows[:size], rows[size:]
            yield taken


class Stream(IterableDataset[Any]):
    """A stream that draws from the global generators, or with `own` from its own."""

    def __init__(self, dtype: torch.dtype, *, own: bool = False) -> None:
        self.inputs, self.targets = pairs(1, dtype)
        self.generator = torch.Generator().manual_seed(1) if own else None

    def __len__(self) -> int:
        return ROWS

    def __iter__(self) -> Iterator[Any]:
        for row in torch.randperm(ROWS, generator=self.generator).tolist():
            yield self.inputs[row] + torch.randn(FEATURES).to(self.inputs.dtype), self.targets[row]


class SavedStream(IterableDataset[Any]):
    """A stream with a state; with `rewinds` it starts anew at its end, as torchdata's do."""

    def __init__(self, dtype: torch.dtype, *, rewinds: bool) -> None:
        self.inputs, self.targets = pairs(1, dtype)
        self.rewinds, self.row = rewinds, 0
        self.generator = torch.Generator().manual_seed(1)

    def __iter__(self) -> Iterator[Any]:
        if not self.rewinds and self.row >= ROWS:
            self.row = 0
        while self.row < ROWS:
            row = self.row
            self.row += 1
            noise = torch.randn(FEATURES, generator=self.generator)
            yield self.inputs[row] + noise.to(self.inputs.dtype), self.targets[row]
        if self.rewinds:
            self.row = 0

    def state_dict(self) -> dict[str, Any]:
        return {"row": self.row, "generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.row = state["row"]
        self.generator.set_state(state["generator"])


def _own_rows(kind: str, dtype: torch.dtype) -> Any:
    """Return rows of inexact_tasks.py in this type, or None."""
    kinds = {
        "numpy_rows": NumpyRows,
        "torch_rows": TorchRows,
        "transformed_rows": TransformedRows,
        "counting_rows": CountingRows,
        "curriculum_rows": CurriculumRows,
        "caching_rows": CachingRows,
        "saved_rows": SavedRows,
    }
    if kind not in kinds:
        return None
    rows = kinds[kind]()
    rows.inputs = rows.inputs.to(dtype)
    return rows


def _data(case: Case, dtype: torch.dtype) -> Any:
    """Return the training data."""
    size = case.batch_size
    if case.own_state == "unseeded":
        inputs, targets = pairs(1, dtype)
        return inputs + torch.from_numpy(np.random.default_rng().normal(size=inputs.shape)).to(dtype), targets
    if (rows := _own_rows(case.own_state, dtype)) is not None:
        return rows
    if case.own_state == "own_order":
        return DataLoader(NoisyRows(dtype), batch_size=size, sampler=OwnOrder())
    if case.own_state == "own_stream":
        return Stream(dtype, own=True)
    match case.data:
        case "memory" | "full" | "augmented":
            return pairs(1, dtype)
        case "rows":
            return NoisyRows(dtype)
        case "saved_rows":
            return _own_rows("saved_rows", dtype)
        case "loader":
            return DataLoader(NoisyRows(dtype), batch_size=size, shuffle=True, drop_last=True)
        case "weighted":
            return DataLoader(NoisyRows(dtype), batch_size=size, sampler=WeightedRandomSampler([1.0] * ROWS, ROWS))
        case "subset":
            return DataLoader(NoisyRows(dtype), batch_size=size, sampler=SubsetRandomSampler(range(ROWS)))
        case "batched":
            return DataLoader(NoisyRows(dtype), batch_sampler=Batched())
        case "epochal":
            return DataLoader(NoisyRows(dtype), batch_size=size, sampler=Epochal())
        case "stream":
            return Stream(dtype)
        case _:
            return SavedStream(dtype, rewinds=case.data != "saved_stream")


def _measured(case: Case, dtype: torch.dtype) -> Any:
    rows = _own_rows("numpy_rows", dtype) if case.own_state == "measured_rows" else None
    return pairs(2, dtype) if rows is None else rows


def _augment(inputs: Tensor) -> Tensor:
    return inputs * random.uniform(0.9, 1.1) + torch.randn_like(inputs) * float(np.random.rand())


def _global_step(model: nn.Module, batch: Any) -> Tensor:
    return nn.functional.cross_entropy(model(batch[0]) * float(module_generator.uniform(0.5, 1.5)), batch[1])


def _add_own_state(task: Task, kind: str) -> None:
    """Give the task a step that keeps something."""
    loss: Any = task.loss
    average = {name: value.detach().clone() for name, value in task.model.named_parameters()}
    rng = np.random.default_rng(1)
    hidden, steps, holder = torch.zeros(CLASSES), 0, dict[str, Any]()

    def of_average(model: nn.Module, batch: Any) -> Tensor:
        pull: Any = 0.0
        for name, value in task.model.named_parameters():
            average[name].lerp_(value.detach(), 0.2)
            pull = pull + (value - average[name]).square().mean()
        return loss(model(batch[0]), batch[1]) + pull  # type: ignore[no-any-return]

    def of_hidden(model: nn.Module, batch: Any) -> Tensor:
        nonlocal hidden
        outputs = model(batch[0]) + hidden.to(batch[0].dtype)
        hidden = outputs.detach().mean(0)
        return loss(outputs, batch[1])  # type: ignore[no-any-return]

    def of_counter(model: nn.Module, batch: Any) -> Tensor:
        nonlocal steps
        steps += 1
        return loss(model(batch[0]), batch[1]) * (1.0 if steps < 5 else 0.5)  # type: ignore[no-any-return]

    def of_generator(model: nn.Module, batch: Any) -> Tensor:
        return loss(model(batch[0]) * float(rng.uniform(0.5, 1.5)), batch[1])  # type: ignore[no-any-return]

    def of_schedule(model: nn.Module, batch: Any) -> Tensor:
        holder["schedule"].step()
        return loss(model(batch[0]), batch[1])  # type: ignore[no-any-return]

    def of_second(model: nn.Module, batch: Any) -> Tensor:
        holder["other"].step()
        holder["other"].zero_grad()
        return loss(model(batch[0]), batch[1])  # type: ignore[no-any-return]

    def scheduled(model: nn.Module, lr: float) -> torch.optim.Optimizer:
        made = torch.optim.SGD(model.parameters(), lr)
        holder["schedule"] = torch.optim.lr_scheduler.LambdaLR(made, lambda step: 0.8**step)
        return made

    def halved(model: Any, lr: float) -> torch.optim.Optimizer:
        holder["other"] = torch.optim.Adam(model.first.parameters(), lr)
        ours = [p for p in model.parameters() if id(p) not in set(map(id, model.first.parameters()))]
        return torch.optim.Adam(ours, lr)

    steps_by_kind = {
        "average": of_average,
        "saved_average": of_average,
        "hidden": of_hidden,
        "counter": of_counter,
        "generator": of_generator,
        "global": _global_step,
        "schedule": of_schedule,
        "second_optimizer": of_second,
    }
    if kind in steps_by_kind:
        task.step = steps_by_kind[kind]
    if kind == "saved_average":
        task.state = {"average": average}
    if kind == "schedule":
        task.optimizer = scheduled
    if kind == "second_optimizer":
        task.optimizer = halved
