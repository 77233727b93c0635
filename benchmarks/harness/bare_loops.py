"""Plain PyTorch loops for the same models: `python -m benchmarks.harness.bare_loops TASK EPOCHS THREADS`.

Each loop keeps every step's loss and evaluates as often as the task does.
The program prints the time in seconds of the end of each step, and of the end of the training, as a JSON list.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from stoker.engine.data.download import data_folder

Loop = Callable[[int], list[float]]  # takes epochs, returns the time in seconds of the end of each step


def iris() -> Loop:
    """Return the loop over iris: an MLP 4-10-3 on the full batch, with an evaluation every 200 epochs."""
    x, y, test_x, test_y = iris_data()
    model = nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 3))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def loop(epochs: int) -> list[float]:
        losses, tests, times = [], [], []
        for epoch in range(1, epochs + 1):
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            times.append(time.perf_counter())
            if epoch % 200 == 0:
                model.eval()
                with torch.no_grad():
                    outputs = model(test_x)
                    right = (outputs.argmax(1) == test_y).float().mean()
                    tests.append((criterion(outputs, test_y).item(), right.item()))
                model.train()
        return times

    return loop


def iris_data() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return iris scaled to [0, 1]: inputs (120, 4) and classes (120) for training, and 30 of each for the test."""
    from sklearn.datasets import load_iris
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import MinMaxScaler

    inputs, classes = load_iris(return_X_y=True)
    x, test_x, y, test_y = train_test_split(inputs, classes, test_size=0.2, random_state=42)
    scaler = MinMaxScaler().fit(x)
    return (
        torch.from_numpy(scaler.transform(x)).float(),
        torch.from_numpy(y),
        torch.from_numpy(scaler.transform(test_x)).float(),
        torch.from_numpy(test_y),
    )


def mnist() -> Loop:
    """Return the loop over MNIST: torchvision's dataset, its transform and a DataLoader; an evaluation each epoch.

    The data must have been downloaded before.
    """
    from torchvision import datasets, transforms

    folder = data_folder()
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    train = DataLoader(datasets.MNIST(folder, train=True, transform=transform), batch_size=64, shuffle=True)
    test = DataLoader(datasets.MNIST(folder, train=False, transform=transform), batch_size=1000)
    model = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(32 * 7 * 7, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10)),
    )
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)

    def loop(epochs: int) -> list[float]:
        losses, times = [], []
        for _ in range(epochs):
            model.train()
            for images, digits in train:
                optimizer.zero_grad()
                loss = criterion(model(images), digits)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
                times.append(time.perf_counter())
            model.eval()
            with torch.no_grad():
                _ = [(model(images).argmax(1) == digits).sum().item() for images, digits in test]
        return times

    return loop


if __name__ == "__main__":
    task, epochs, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    torch.manual_seed(42)
    train = {"iris": iris, "mnist": mnist}[task]()
    print(json.dumps([*train(epochs), time.perf_counter()]))
