"""Other trainers on the same model and batches, without their bars, loggers and checkpoints, against the bare loop."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from stoker.engine import session
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Controls
from stoker.engine.runs.events import Event

from ..harness import bare_loops
from ..harness.measure import summary

LEARNING_RATE = 0.01
WARM_UP = 200  # epochs in which torch starts up, not timed


def main(arguments: list[str]) -> dict[str, Any]:
    """Return each trainer's time for iris over that of the bare loop; a trainer that is not installed is left out."""
    parser = argparse.ArgumentParser(prog="peers", description=__doc__)
    parser.add_argument("--epochs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    trainers: dict[str, Callable[[int], object]] = {}
    for name, make in {"stoker": stoker, "ignite": ignite, "skorch": skorch, "lightning": lightning}.items():
        try:
            train = make()
            train(WARM_UP)
        except ImportError as error:
            print(f"{name}: left out, not installed ({error})", file=sys.stderr)
        except Exception as error:  # an incompatible version must not stop the others
            print(f"{name}: left out, it fails ({type(error).__name__}: {error})", file=sys.stderr)
        else:
            trainers[name] = train
    _timed(bare_loops.iris(), WARM_UP)
    ratios: dict[str, list[float]] = {name: [] for name in trainers}
    for _ in range(options.rounds):
        bare_seconds = _timed(bare_loops.iris(), options.epochs)
        for name, train in trainers.items():
            ratios[name].append(_timed(train, options.epochs) / bare_seconds)
    return {"epochs": options.epochs, **{name: {"to_bare": summary(found, 2)} for name, found in ratios.items()}}


def stoker() -> Callable[[int], object]:
    """Return stoker's engine with its saves, events and evaluations."""

    def train(epochs: int) -> None:
        with tempfile.TemporaryDirectory() as runs_folder:
            folder = runs.create(Path(runs_folder), "iris", "peer", {"parameters": {}, "given": {"epochs": epochs}})
            received: list[Event] = []
            session.train(folder, Controls(), received.append)

    return train


def ignite() -> Callable[[int], object]:
    """Return pytorch-ignite's supervised trainer."""
    from ignite.engine import create_supervised_trainer

    batches, model = _batches(), _model()
    trainer = create_supervised_trainer(
        model, torch.optim.SGD(model.parameters(), lr=LEARNING_RATE), nn.CrossEntropyLoss()
    )
    return lambda epochs: trainer.run(batches, max_epochs=epochs)


def skorch() -> Callable[[int], object]:
    """Return skorch's classifier without output and without its validation split."""
    from skorch import NeuralNetClassifier

    x, y, *_ = bare_loops.iris_data()
    options = {
        "criterion": nn.CrossEntropyLoss,
        "lr": LEARNING_RATE,
        "batch_size": -1,
        "train_split": None,
        "verbose": 0,
    }
    return lambda epochs: NeuralNetClassifier(_model(), max_epochs=epochs, **options).fit(np.asarray(x), np.asarray(y))


def lightning() -> Callable[[int], object]:
    """Return Lightning's trainer without progress bar, logger and checkpoints."""
    from lightning.pytorch import LightningModule, Trainer

    # Importing Lightning sets its log level, so this comes after the import.
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Module(LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net, self.criterion = _model(), nn.CrossEntropyLoss()

        def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
            return self.criterion(self.net(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=LEARNING_RATE)

    # Lightning takes a plain list for several loaders.
    batches: DataLoader[Any] = DataLoader(_batches(), batch_size=None)  # type: ignore[arg-type]
    switched_off = ("enable_progress_bar", "logger", "enable_checkpointing", "enable_model_summary")

    def train(epochs: int) -> None:
        Trainer(max_epochs=epochs, accelerator="cpu", **dict.fromkeys(switched_off, False)).fit(Module(), batches)

    return train


def _model() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 3))


def _batches() -> list[tuple[Tensor, Tensor]]:
    """Return the one batch of an epoch, in memory: a DataLoader would cost more than these trainers."""
    x, y, *_ = bare_loops.iris_data()
    return [(x, y)]


def _timed(train: Callable[[int], object], epochs: int) -> float:
    start = time.perf_counter()
    train(epochs)
    return time.perf_counter() - start
