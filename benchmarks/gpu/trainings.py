"""Whole trainings: MNIST against the tutorial's script, and a busy device with and without the dashboard."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from stoker.engine import session
from stoker.engine.data.download import data_folder
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Controls
from stoker.engine.runs.events import Event, RunFinished, RunStarted
from stoker.engine.tasks.builtin import mnist as built_in

from ..harness import timed_run
from ..harness.measure import summary
from .options import Options
from .trained import TASKS


def mnist(options: Options) -> dict[str, Any]:
    """Return seconds of ten epochs: of stoker, of the tutorial's script, and of that script with data on the device."""
    epochs, device = (1 if options.quick else 10), torch.device(options.device)
    if options.quick:
        images, digits = torch.randn(1000, 1, 28, 28), torch.randint(10, (1000,))
        dataset: Any = TensorDataset(images, digits)
    else:
        (images, digits), _ = built_in.load()
        dataset = _tutorial_data()
    tutorial = _script(DataLoader(dataset, batch_size=64, shuffle=True), device, epochs)
    resident = _script(_Resident(images.to(device), digits.to(device)), device, epochs)
    engine = _engine("digits" if options.quick else "mnist", options, epochs)
    return {
        "epochs": epochs,
        "stoker_seconds": engine,
        "tutorial_seconds": tutorial,
        "script_with_data_on_the_device_seconds": resident,
        "stoker_to_tutorial": round(engine / tutorial, 3),
        "stoker_to_script_with_data_on_the_device": round(engine / resident, 3),
    }


def _engine(task: str, options: Options, epochs: int) -> float:
    """Return the seconds of a run from its start to its end, with its evaluations and saves."""
    seen: list[Event] = []
    with tempfile.TemporaryDirectory() as where:
        record = {"parameters": {}, "given": {"device": options.device, "epochs": epochs}}
        session.train(runs.create(Path(where), task, None, record), Controls(), seen.append)
    start = next(event.at for event in seen if isinstance(event, RunStarted))
    return round(next(event.at for event in seen if isinstance(event, RunFinished)) - start, 2)


def _script(batches: Any, device: torch.device, epochs: int) -> float:
    """Train the tutorial's network on `batches`, and return the seconds without the first batch."""
    model = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(32 * 7 * 7, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10)),
    ).to(device)
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=0.001)
    start, number = 0.0, 0
    for _ in range(epochs):
        for images, digits in batches:
            loss = criterion(model(images.to(device)), digits.to(device))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            if number % 100 == 0:  # as the tutorial prints it
                loss.item()
            start = start or time.perf_counter()
            number += 1
    loss.item()
    return round(time.perf_counter() - start, 2)


def _tutorial_data() -> Any:
    from torchvision import datasets, transforms

    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    return datasets.MNIST(data_folder(), train=True, transform=transform)


class _Resident:
    """Shuffled batches of 64 of data that is on the device already."""

    def __init__(self, images: Tensor, digits: Tensor) -> None:
        self.images, self.digits = images, digits

    def __iter__(self) -> Any:
        order = torch.randperm(len(self.images)).to(self.images.device)
        for rows in order.split(64):
            yield self.images[rows], self.digits[rows]


def dashboard(options: Options) -> dict[str, Any]:
    """Return the seconds of a run that keeps the device busy, with the dashboard and headless, by turns."""
    task = f"{TASKS}:busy"
    given = ["--device", options.device, *(["width=64", "rows=16384"] if options.quick else [])]
    epochs, rounds = (100, 1) if options.quick else (40, 3)
    shown, plain = [], []
    with tempfile.TemporaryDirectory() as where:
        for _ in range(rounds):
            shown.append(timed_run.dashboard(task, epochs, 1, Path(where), given).steps_per_second)
            plain.append(timed_run.headless(task, epochs, 1, Path(where), given).steps_per_second)
    return {
        "steps_a_second_with_the_dashboard": summary(shown, 2),
        "steps_a_second_headless": summary(plain, 2),
        "ratio": summary([a / b for a, b in zip(shown, plain, strict=True)]),
    }
