"""Small trainings of known kinds. `python -m tests.recordings.record` trains them and writes verdicts.json.gz."""

from __future__ import annotations

import itertools

import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine, make_moons
from torch import Tensor, nn

from stoker import Task

Data = tuple[Tensor, Tensor]


def classifier(sizes: list[int], train: Data, test: Data, dropout: float = 0.0) -> Task:
    """Return a task for an MLP with ReLU between layers of `sizes`."""
    return Task(
        model=network(sizes, nn.ReLU, dropout),
        train=train,
        test=test,
        loss=nn.CrossEntropyLoss(),
        metrics=["accuracy"],
        classes=[str(number) for number in range(sizes[-1])],
    )


def network(sizes: list[int], activation: type[nn.Module], dropout: float = 0.0) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes[:-1]):
        layers += [nn.Linear(inputs, outputs), activation(), *([] if layers else [nn.Dropout(dropout)])]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def flipped(labels: Tensor, share: float, classes: int, generator: torch.Generator) -> Tensor:
    """Return labels of which a `share` is drawn anew."""
    wrong = torch.rand(len(labels), generator=generator) < share
    return torch.where(wrong, torch.randint(0, classes, labels.shape, generator=generator), labels)


def digits_mlp(
    hidden: int = 64, n: int = 1200, depth: int = 1, seed: int = 0, noise: float = 0.0, dropout: float = 0.0
) -> Task:
    """scikit-learn's digits, `n` of them for training, a share `noise` with a wrong label."""
    scans = load_digits()
    images, labels = torch.from_numpy(scans.images).float().flatten(1) / 16, torch.from_numpy(scans.target)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    images, labels = images[order], labels[order]
    train = flipped(labels[:n], noise, 10, torch.Generator().manual_seed(5)) if noise else labels[:n]
    return classifier([64, *[hidden] * depth, 10], (images[:n], train), (images[1200:], labels[1200:]), dropout)


def regression(hidden: int = 32, noise: float = 0.3, n: int = 200, seed: int = 0) -> Task:
    """A smooth function of four numbers, with noise."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(n + 200, 4, generator=generator) * 2 - 1
    y = torch.sin(3 * x[:, :1]) + x[:, 1:2] * x[:, 2:3] + noise * torch.randn(n + 200, 1, generator=generator)
    model = network([4, hidden, hidden, 1], nn.Tanh)
    return Task(model=model, train=(x[:n], y[:n]), test=(x[n:], y[n:]), loss=nn.MSELoss())


def wave(hidden: int = 64, noise: float = 0.1, n: int = 500, seed: int = 0) -> Task:
    """A wave of one number, with noise."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(n + 300, 1, generator=generator) * 6 - 3
    y = torch.sin(2 * x) * x + noise * torch.randn(n + 300, 1, generator=generator)
    model = network([1, hidden, hidden, 1], nn.Tanh)
    return Task(model=model, train=(x[:n], y[:n]), test=(x[n:], y[n:]), loss=nn.MSELoss())


def moons(hidden: int = 32, noise: float = 0.2, n: int = 400, seed: int = 0) -> Task:
    """Two half circles."""
    points, labels = make_moons(n + 400, noise=noise, random_state=seed)
    x, y = torch.from_numpy(points).float(), torch.from_numpy(labels)
    return classifier([2, hidden, hidden, 2], (x[:n], y[:n]), (x[n:], y[n:]))


def cancer(hidden: int = 16, scaled: bool = True, n: int = 350, flips: float = 0.0) -> Task:
    """The breast cancer data set, a share `flips` with a wrong label."""
    data = load_breast_cancer()
    x, y = torch.from_numpy(data.data).float(), torch.from_numpy(data.target)
    generator = torch.Generator().manual_seed(1)
    order = torch.randperm(len(x), generator=generator)
    x, y = x[order], y[order]
    x = (x - x.mean(0)) / x.std(0) if scaled else x
    labels = torch.where(torch.rand(n, generator=generator) < flips, 1 - y[:n], y[:n])
    return classifier([30, hidden, 2], (x[:n], labels), (x[n:], y[n:]))


def wine(hidden: int = 32, flips: float = 0.0) -> Task:
    """The wine data set, a share `flips` with a wrong label."""
    data = load_wine()
    x, y = torch.from_numpy(data.data).float(), torch.from_numpy(data.target)
    generator = torch.Generator().manual_seed(1)
    order = torch.randperm(len(x), generator=generator)
    x, y = ((x - x.mean(0)) / x.std(0))[order], y[order]
    return classifier([13, hidden, 3], (x[:100], flipped(y[:100], flips, 3, generator)), (x[100:], y[100:]))


def diabetes(hidden: int = 64, n: int = 300) -> Task:
    """The diabetes data set."""
    data = load_diabetes()
    x, y = torch.from_numpy(data.data).float() * 20, torch.from_numpy(data.target).float().unsqueeze(1) / 100
    model = network([10, hidden, hidden, 1], nn.ReLU)
    return Task(model=model, train=(x[:n], y[:n]), test=(x[n:], y[n:]), loss=nn.MSELoss())
