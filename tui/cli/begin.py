"""The commands for the first minutes: `stoker demo` and `stoker new`."""

from __future__ import annotations

from pathlib import Path

import click

from stoker.engine.errors import RequestError

from . import launch
from .options import display_options, headless_option, runs_option
from .output import echo

TEMPLATE = '''\
"""A task for stoker. Train it: `stoker run {file}:{name} hidden=64 --epochs 50`."""

import torch
from torch import nn

from stoker import Task


def {name}(hidden: int = 32, noise: float = 0.1) -> Task:
    """Points inside and outside of a circle."""
    # The data: tensors, a Dataset, an IterableDataset or a DataLoader.
    points = torch.rand(2000, 2) * 2 - 1
    inside = ((points + noise * torch.randn_like(points)).norm(dim=1) < 0.8).long()
    return Task(
        model=nn.Sequential(nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, 2)),
        train=(points, inside),  # stoker holds out a fifth; or give your own with test=…
        loss=nn.CrossEntropyLoss(),
        metrics=["accuracy"],
        # Each of these can be set on the command line: `stoker run --help` lists them.
        settings={{"epochs": 30, "batch_size": 32, "optimizer": "adam", "lr": 0.01, "monitor": "accuracy"}},
    )
'''


@click.command()
@runs_option
@headless_option
@display_options
def demo(runs_folder: Path, headless: bool) -> int:
    """Train scikit-learn's digits for about ninety seconds, with hints for the keys that are worth a try."""
    from ..state.demo import create_demo

    return launch.train_here(create_demo(runs_folder), None, headless, False, hints=True)


@click.command()
@click.argument("path", metavar="FILE.py", type=click.Path(path_type=Path))
def new(path: Path) -> int:
    """Write a task to start from into FILE.py, which must not exist."""
    name = path.stem
    if path.suffix != ".py" or not name.isidentifier():
        raise RequestError(f"invalid file name {str(path)!r}: write a name such as circles.py, as Python imports it")
    try:
        with path.open("x") as file:
            file.write(TEMPLATE.format(file=path, name=name))
    except FileExistsError:
        raise RequestError(f"{path} exists: choose another name") from None
    except OSError as error:
        raise RequestError(f"cannot write {path}: {error.strerror}") from error
    echo(
        f"wrote {path}: train it with `stoker run {path}:{name}`, and check a resume with `stoker check {path}:{name} --resume`"
    )
    return 0
