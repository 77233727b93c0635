"""Whatever is asked of a run while it trains, and wherever it is hosted, its weights come out the same."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from stoker.engine import session
from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Command, Controls
from tests.support.process_runner import Forge, assert_same_run, create, said, state, unequal

ASKED = ("save", "evaluate", "pause", "save", "evaluate", "resume")


class Restless(Controls):
    """Asks for something at random places, and goes on from every pause."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random, self.asked = random.Random(seed), 0

    def pending(self, now: float) -> bool:
        if self.random.random() < 0.3:
            self.ask(self.random.choice(ASKED))
        return super().pending(now)

    def wait(self, seconds: float = 0.05) -> None:
        self.ask(self.random.choice(ASKED))
        super().wait(0.001)

    def ask(self, command: str) -> None:
        self.asked += 1
        self.send(Command(command=command))


@pytest.mark.parametrize("seed", range(3))
def test_watching_changes_nothing(seed: int, forge: Forge, tmp_path: Path) -> None:
    """Pauses, saves and evaluations at random places leave state and history as they would have been."""
    given = {"accumulate": 1 + seed, "optimizer": "adamw", "scheduler": "plateau:factor=0.5,patience=0"}
    alone = create(tmp_path, "noisy", name="alone", **given)
    assert forge.run(alone) == 0
    watched = create(tmp_path, "noisy", name="watched", **given)
    controls = Restless(seed)
    assert session.train(watched, controls, lambda event: None).cause == "completed"
    assert controls.asked > 5
    answers = [event for event in said(watched) if isinstance(event, e.CommandAnswered)]
    assert len({answer.id for answer in answers}) == len(answers) >= controls.asked - 3
    assert_same_run(alone, watched)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_thread_and_a_process_give_the_same_bits(workers: int, forge: Forge, tmp_path: Path) -> None:
    """It does not matter whether the engine has a process's main thread or another one."""
    folders = [create(tmp_path, "noisy", name=name, workers=workers, threads=2) for name in ("main", "worker")]
    assert [forge.run(folders[0]), forge.run(folders[1], thread=True)] == [0, 0]
    assert_same_run(*folders)


def test_workers_and_the_training_process_compute_alike(forge: Forge, tmp_path: Path) -> None:
    """A sum over a large image in the data set has the same bits in a worker and in a process of several threads."""
    folders = [create(tmp_path, "summed", name=f"by-{n}", workers=n, threads=2) for n in (0, 2)]
    assert [forge.run(folder) for folder in folders] == [0, 0]
    assert unequal(*(state(folder)["model"] for folder in folders)) == []


@pytest.mark.parametrize("at", [3, 6, 8, 9, 10, 15])
@pytest.mark.parametrize("task", ["stateful", "stateless"])
def test_a_stream_goes_on_where_it_was(task: str, at: int, forge: Forge, tmp_path: Path) -> None:
    """An iterable dataset resumes by its own state, or by reading again; at an epoch's end it begins anew."""
    whole, folder = (create(tmp_path, task, name=name, eval_every="3steps") for name in ("whole", "cut"))
    assert forge.run(whole) == 0, whole.log.read_text()
    assert forge.run(folder, at=at, how="SIGTERM") == 143
    assert forge.run(folder, at=1, how="SIGTERM") == 143, "ended again before it read anything"
    assert forge.run(folder) == 0
    assert_same_run(whole, folder)
