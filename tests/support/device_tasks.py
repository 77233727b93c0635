"""Small tasks whose parts behave differently on a device: losses with tensors, batches of other forms, NaN."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_sequence
from torch.utils.data import Dataset

from stoker.engine import Task

SETTINGS = {"epochs": 2, "batch_size": 8, "lr": 0.05}


def data(rows: int = 64, seed: int = 1) -> tuple[Tensor, Tensor]:
    """Return inputs (N, 6) and classes (N) of 3."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(rows, 6, generator=generator)
    return inputs, (inputs[:, :3] + torch.randn(rows, 3, generator=generator)).argmax(1)


def net(*, norm: bool = True) -> nn.Module:
    """Return a network with dropout, and with batch norm if `norm`."""
    layers = [nn.Linear(6, 8), *([nn.BatchNorm1d(8)] if norm else []), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3)]
    return nn.Sequential(*layers)


def task(**changes: Any) -> Task:
    """Return a classifier of `data`; `changes` are other arguments of Task."""
    given = {"model": net(), "train": data(), "test": data(20, 2), "loss": nn.CrossEntropyLoss()}
    return Task(**{**given, "metrics": ["accuracy"], "settings": SETTINGS, **changes})


def augmented() -> Task:
    """Return a task that draws on the device: in its augmentation and in its dropout."""
    return task(augment=lambda inputs: inputs + torch.randn_like(inputs) * 0.1)


def own_step(
    step: Callable[[nn.Module, Any], Tensor], parts: Callable[[Any], tuple[Any, Any]] = tuple, **changes: Any
) -> Task:
    """Return a task with a step of its own; `parts` returns (inputs, targets) of a batch."""

    def evaluate(model: nn.Module, batch: Any) -> Any:
        inputs, targets = parts(batch)
        outputs = model(inputs)
        return cross_entropy(outputs, targets), outputs, targets

    return task(loss=None, step=step, evaluate=evaluate, **changes)


class Encoding(UserDict[str, Tensor]):
    """A batch that is no dict and moves itself, as transformers' BatchEncoding."""

    def to(self, device: Any) -> Encoding:
        return Encoding({name: tensor.to(device) for name, tensor in self.items()})


class Rows(Dataset[tuple[Tensor, Tensor]]):
    """`data` as a map-style dataset."""

    def __init__(self, rows: int) -> None:
        self.inputs, self.targets = data(rows)

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        return self.inputs[row], self.targets[row]


def encoded() -> Task:
    """Return a task whose batches are `Encoding`s."""

    def collate(items: list[Any]) -> Encoding:
        return Encoding(x=torch.stack([x for x, _ in items]), y=torch.stack([y for _, y in items]))

    return own_step(
        lambda model, batch: cross_entropy(model(batch["x"]), batch["y"]),
        lambda batch: (batch["x"], batch["y"]),
        train=Rows(64),
        test=Rows(20),
        collate=collate,
    )


class Recurrent(nn.Module):
    """A classifier of packed sequences."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.out = nn.GRU(1, 8), nn.Linear(8, 3)

    def forward(self, packed: Any) -> Tensor:
        return self.out(self.rnn(packed)[1][0])  # type: ignore[no-any-return]


def packed() -> Task:
    """Return a task whose inputs are packed sequences."""

    def collate(items: list[Any]) -> Any:
        pieces = [x[: 1 + int(y)].unsqueeze(1) for x, y in items]
        return pack_sequence(pieces, enforce_sorted=False), torch.stack([y for _, y in items])

    return task(
        model=Recurrent(),
        train=Rows(32),
        test=Rows(20),
        collate=collate,
        metrics=[],
        settings={**SETTINGS, "epochs": 1},
    )


def poisoned(*, norm: bool = True, **changes: Any) -> Task:
    """Return a task with NaN in one row of its data."""
    inputs, targets = data()
    inputs[5] = float("nan")
    return task(model=net(norm=norm), train=(inputs, targets), settings={**SETTINGS, "epochs": 3}, **changes)


class Heedless(torch.optim.Adam):
    """An optimizer whose groups say fused, and whose own step does not look at `found_inf`."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        with torch.no_grad():
            for group in self.param_groups:
                for parameter in group["params"]:
                    parameter.add_(parameter.grad, alpha=-group["lr"])


def heedless() -> Task:
    """Return `poisoned` with the optimizer `Heedless`."""
    return poisoned(norm=False, optimizer=lambda model, lr: Heedless(model.parameters(), lr, fused=True))


def nan_beside() -> Task:
    """Return a task whose loss is NaN by a constant, so that its gradients are finite."""
    return task(
        model=net(norm=False),
        loss=lambda outputs, targets: cross_entropy(outputs, targets) + float("nan"),
        settings={**SETTINGS, "epochs": 1, "optimizer": "adam", "on_nan": "pause"},
    )


def overflowing() -> Task:
    """Return a task whose first steps overflow in half precision.

    Its layers have whole vectors of 16 numbers: in a remainder torch's fused and unfused SGD round differently.
    """
    return task(
        model=nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 16)),
        loss=lambda outputs, targets: cross_entropy(outputs, targets) * 50,
        settings={**SETTINGS, "lr": 0.001, "precision": "fp16", "optimizer": "sgd:momentum=0.9", "on_nan": "stop"},
    )


def whole() -> Task:
    """Return a task that trains on all its data at once."""
    settings = {**SETTINGS, "batch_size": None, "epochs": 20, "eval_every": "4epochs"}
    return task(model=net(norm=False), settings=settings)


def wide() -> Task:
    """Return a task whose evaluation takes much more memory than its training."""
    layers = [nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3)]
    return task(model=nn.Sequential(*layers), test=data(1024, 2))
