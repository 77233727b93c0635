"""Random draws of a loop of the user's own: a function of the position, cheap where nothing is drawn."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stoker
from stoker.engine.loop.draws import Draws
from stoker.engine.runs.commands import Command
from stoker.engine.runtime.stop_run import StopRun

CPU = torch.device("cpu")
DRAWS: list[Callable[[], object]] = [
    random.random,
    lambda: random.getrandbits(1),
    lambda: random.gauss(0, 1),
    lambda: [random.random() for _ in range(312)],  # all words of the state, so that its position is as before
    lambda: random.seed(3),
    np.random.random_sample,
    np.random.normal,
    lambda: np.random.random_sample(312),
    lambda: np.random.seed(3),
    lambda: np.random.shuffle([1, 2, 3]),
]


@pytest.mark.parametrize("draw", DRAWS)
def test_every_draw_of_python_and_numpy_is_seen(draw: Callable[[], object]) -> None:
    """After it the next batch is reseeded; without one it is not."""
    draws = Draws(1, CPU)
    draws.seed(0, 0)
    draws.seed(0, 1)
    assert draws.state() == [0, 0]
    draw()
    assert draws.state() is None
    draws.seed(0, 2)
    assert draws.state() == [0, 2]


def test_without_a_look_into_the_states_every_batch_is_reseeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where numpy's generator is replaced."""
    monkeypatch.setattr("stoker.engine.loop.draws._watch", lambda: None)
    draws = Draws(1, CPU)
    seen = []
    for batch in range(3):
        draws.seed(0, batch)
        assert draws.state() is None
        seen.append(random.random())
    assert len(set(seen)) == 3


def drawn(folder: Path, name: str, stop_at: int | None = None, by_hand: int | None = None) -> list[tuple[int, float]]:
    """Train a loop that draws in some batches only, perhaps stopped before a batch; return what it drew, by batch."""
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = stoker.Run(model=model, optimizer=optimizer, name=name, runs=folder, resume="allow")
    run.evaluation(lambda: {"loss": random.random() + np.random.random_sample()})
    found: list[tuple[int, float]] = []
    controls = run._controller.controls
    try:
        for epoch in run.epochs(2):
            random.shuffle([1, 2, 3])  # what stands between the two lines runs again on a resume
            for batch in run.batches([torch.ones(1)] * 8):
                number = epoch * 8 + run._controller.progress.batch
                if number in (2, 3, 6, 9, 13):
                    found.append((number, random.random() + np.random.random_sample()))
                model(batch).sum().backward()
                optimizer.step()
                if number == by_hand:
                    controls.send(Command(command="evaluate"))
                if number == stop_at:
                    controls.send(Command(command="stop"))
        run.finish()
    except StopRun:
        return found
    return found


@pytest.mark.filterwarnings("ignore")
def test_a_resumed_loop_draws_what_the_undisturbed_one_draws(tmp_path: Path) -> None:
    """Wherever it was stopped, and where a person has evaluated."""
    whole: Any = drawn(tmp_path, "whole")
    assert [number for number, _ in whole] == [2, 3, 6, 9, 13] and len({value for _, value in whole}) == 5
    for stop_at in (0, 1, 2, 4, 5, 6, 7, 8, 10, 14):
        first = drawn(tmp_path, f"stopped-{stop_at}", stop_at=stop_at)
        rest = drawn(tmp_path, f"stopped-{stop_at}")
        assert [*first, *rest] == whole, stop_at
    assert drawn(tmp_path, "by hand", by_hand=4) == whole
