"""Commands during training, and the process that hosts the engine, do not change the weights."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from stoker.engine import session
from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Command, Controls
from tests.support.process_runner import (
    ProcessRunner,
    assert_same_run,
    checkpoint_state,
    create,
    differences,
    recorded_events,
)

COMMANDS = ("save", "evaluate", "pause", "save", "evaluate", "resume")


class RandomCommands(Controls):
    """Sends commands at random places, and resumes after every pause."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random, self.sent = random.Random(seed), 0

    def pending(self, now: float) -> bool:
        if self.random.random() < 0.3:
            self.send_command(self.random.choice(COMMANDS))
        return super().pending(now)

    def wait(self, seconds: float = 0.05) -> None:
        self.send_command(self.random.choice(COMMANDS))
        super().wait(0.001)

    def send_command(self, command: str) -> None:
        self.sent += 1
        self.send(Command(command=command))


@pytest.mark.parametrize("seed", range(3))
def test_commands_at_random_places_change_nothing(seed: int, process_runner: ProcessRunner, tmp_path: Path) -> None:
    """Pauses, saves and evaluations at random places leave state and history unchanged."""
    given = {"accumulate": 1 + seed, "optimizer": "adamw", "scheduler": "plateau:factor=0.5,patience=0"}
    alone = create(tmp_path, "noisy", name="alone", **given)
    assert process_runner.run(alone) == 0
    watched = create(tmp_path, "noisy", name="watched", **given)
    controls = RandomCommands(seed)
    assert session.train(watched, controls, lambda event: None).cause == "completed"
    assert controls.sent > 5
    answers = [event for event in recorded_events(watched) if isinstance(event, e.CommandAnswered)]
    assert len({answer.id for answer in answers}) == len(answers) >= controls.sent - 3
    assert_same_run(alone, watched)


@pytest.mark.parametrize("workers", [0, 2])
def test_thread_and_process_give_the_same_bits(workers: int, process_runner: ProcessRunner, tmp_path: Path) -> None:
    """The engine gives the same bits in a process's main thread and in another thread."""
    folders = [create(tmp_path, "noisy", name=name, workers=workers, threads=2) for name in ("main", "worker")]
    assert [process_runner.run(folders[0]), process_runner.run(folders[1], thread=True)] == [0, 0]
    assert_same_run(*folders)


def test_worker_and_training_process_give_the_same_bits(process_runner: ProcessRunner, tmp_path: Path) -> None:
    """A sum over a large image has the same bits in a worker and in a process with several threads."""
    folders = [create(tmp_path, "summed", name=f"by-{n}", workers=n, threads=2) for n in (0, 2)]
    assert [process_runner.run(folder) for folder in folders] == [0, 0]
    assert differences(*(checkpoint_state(folder)["model"] for folder in folders)) == []


@pytest.mark.parametrize("at", [3, 6, 8, 9, 10, 15])
@pytest.mark.parametrize("task", ["stateful", "stateless"])
def test_stream_resumes_at_its_position(task: str, at: int, process_runner: ProcessRunner, tmp_path: Path) -> None:
    """An iterable dataset resumes by its own state or by reading again, and begins anew at an epoch's end."""
    whole, folder = (create(tmp_path, task, name=name, eval_every="3steps") for name in ("whole", "cut"))
    assert process_runner.run(whole) == 0, whole.log.read_text()
    assert process_runner.run(folder, at=at, how="SIGTERM") == 143
    assert process_runner.run(folder, at=1, how="SIGTERM") == 143, "ended again before it read anything"
    assert process_runner.run(folder) == 0
    assert_same_run(whole, folder)
