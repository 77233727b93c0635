"""When what is saved, and that a save is a copy, written one at a time, and answered when its bytes are safe."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from stoker.engine import session
from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.checkpoints import manager as keeper
from stoker.engine.checkpoints.manager import Keeper
from stoker.engine.checkpoints.snapshots import Snapshots
from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.folder import RunFolder
from tests.support.process_runner import create, said, wait_for


class Saving:
    """A keeper of a state of three numbers, and what it said."""

    def __init__(self, folder: RunFolder, every: str | None = None, keep: int = 0) -> None:
        self.step = self.epoch = 0
        self.weight = torch.zeros(3)
        self.heard: list[e.Event] = []
        self.keeper = Keeper(folder, every, keep, self.state, self.heard.append, lambda: None, None, finite=True)
        self.keeper.start(0, 0)

    def state(self) -> dict[str, Any]:
        return {
            "format": 1,
            "model": {"weight": self.weight},
            "optimizer": {},
            "progress": {"step": self.step, "epoch": self.epoch},
        }

    def train(self, steps: int, per_epoch: int = 4) -> list[int]:
        """Take steps as the loop does; return those at which `latest` was saved."""
        saved = []
        for _ in range(steps):
            self.step += 1
            self.weight += 1
            ended = self.step % per_epoch == 0
            self.epoch += ended
            if self.keeper.due(self.step, self.epoch, time.monotonic(), epoch_ended=ended):
                self.keeper.latest("schedule", wait=True)
                saved.append(self.step)
        return saved


@pytest.mark.parametrize(
    ("every", "steps"), [("3steps", [3, 6, 9, 12]), ("2epochs", [8]), ("1epochs", [4, 8, 12]), ("100s", []), (None, [])]
)
def test_latest_by_count(every: str | None, steps: list[int], folder: RunFolder) -> None:
    """Every so many steps or epochs; a fast run is not slowed by the default."""
    saving = Saving(folder, every)
    assert saving.train(13) == steps
    saving.keeper.close()


def test_latest_by_time(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every so many seconds; by default every five minutes, and at an epoch's end after a minute."""
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    timed, default = Saving(folder, "30s"), Saving(folder)
    turns = [
        (timed, 29, 1, []),
        (timed, 1, 1, [2]),
        (default, 29, 4, []),
        (default, 1, 3, []),
        (default, 0, 1, [8]),
        (default, 299, 3, []),
        (default, 1, 1, [12]),
    ]
    for saving, seconds, steps, expected in turns:
        clock[0] += seconds
        assert saving.train(steps) == expected, (seconds, steps)
    timed.keeper.close()
    default.keeper.close()


def test_a_save_is_a_copy(folder: RunFolder) -> None:
    """What is trained on after the call does not reach the file, nor does it come into an earlier snapshot."""
    saving = Saving(folder)
    for _ in range(29):
        saving.train(1)
        saving.keeper.latest("command")
        saving.weight += 0.5
        saving.weight -= 0.5
    saving.keeper.close()
    _, saved, _ = checkpoint.newest(folder.checkpoints) or (None, {}, [])
    assert saved["model"]["weight"].tolist() == [29.0] * 3
    steps = [event.step for event in saving.heard if isinstance(event, e.CheckpointSaved)]
    assert steps == list(range(1, 30)), "one after the other, in order"


def test_a_snapshot_reuses_memory_that_is_free_alone() -> None:
    """Given back it is written again; held by somebody it is not; CPU step counters are copied too."""
    snapshots = Snapshots()
    model = torch.nn.Linear(3, 3)
    adam = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    adam.step()
    state = {"model": model.state_dict(), "optimizer": adam.state_dict()}
    first, second = snapshots.take(state), snapshots.take(state)
    counter = first["optimizer"]["state"][0]["step"]
    adam.step()
    assert (counter.item(), adam.state[model.weight]["step"].item()) == (1, 2)
    assert first["model"]["weight"].data_ptr() != second["model"]["weight"].data_ptr()
    room = first["model"]["weight"].data_ptr()
    snapshots.give_back(first)
    third = snapshots.take(state)
    assert third["model"]["weight"].data_ptr() == room
    assert torch.equal(third["model"]["weight"], model.weight)
    snapshots.give_back(third)
    other = snapshots.take({"model": {"weight": torch.ones(2, dtype=torch.float64)}, "name": "x"})
    assert other["model"]["weight"].tolist() == [1, 1] and other["name"] == "x"


def test_one_write_at_a_time(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saves by hand wait for each other, a save by the clock does not queue at all."""
    inside, most, real = [0], [0], checkpoint.write

    def slow(*given: Any) -> int:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.02)
        size = real(*given)
        inside[0] -= 1
        return size

    monkeypatch.setattr(checkpoint, "write", slow)
    saving = Saving(folder, "1steps")
    saving.keeper.latest("command", commands=("a",))
    saving.keeper.latest("command", commands=("b",))
    saving.keeper.hold_best()
    saving.step = 1
    assert not saving.keeper.due(1, 0, time.monotonic(), epoch_ended=False), "due again when the disk is free"
    saving.keeper.finish()
    assert saving.keeper.due(1, 0, time.monotonic(), epoch_ended=False)
    saving.keeper.close()
    assert most == [1]
    answers = [event.id for event in saving.heard if isinstance(event, e.CommandAnswered)]
    assert answers == ["a", "b"]


def test_training_goes_on_while_a_save_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to a save by hand comes when its bytes are safe, and not before."""
    folder = create(tmp_path, "noisy", epochs=60, patience=None)
    go, real, steps = threading.Event(), checkpoint.write, list[int]()

    def held(where: Path, names: Any, state: Any) -> int:
        if "latest.pt" in names and state["progress"]["epoch"] < 60:
            assert go.wait(20)
        return real(where, names, state)

    monkeypatch.setattr(checkpoint, "write", held)
    controls, heard = Controls(), list[e.Event]()
    asked = controls.send(Command(command="save"))

    def hear(event: e.Event) -> None:
        heard.append(event)
        if isinstance(event, e.Steps):
            steps.append(event.step or 0)
        if len(steps) > 2:
            assert go.is_set() or not [1 for event in heard if isinstance(event, e.CommandAnswered)]
            go.set()

    assert session.train(folder, controls, hear).cause == "completed"
    (answer,) = [event for event in heard if isinstance(event, e.CommandAnswered)]
    saved = [event for event in heard if isinstance(event, e.CheckpointSaved) and event.cause == "command"]
    assert (answer.id, answer.status, saved[0].step) == (asked, "done", answer.step)
    assert steps[1] > (answer.step or 0), "training went on meanwhile"


def test_numbered_ones_are_kept_beside_latest_and_best(tmp_path: Path) -> None:
    """--keep 2 keeps the two newest of those saved on schedule; each resumes."""
    folder = create(tmp_path, "noisy", keep=2, save_every="5steps")
    session.train(folder, Controls(), lambda event: None)
    names = sorted(path.name for path in folder.checkpoints.glob("*.pt"))
    numbered = [name for name in names if name.startswith("step-")]
    assert set(names) - set(numbered) == {"latest.pt", "previous.pt", "best.pt"}
    assert 1 <= len(numbered) <= 2
    for name in names:
        assert checkpoint.read(folder.checkpoints / name)["model"]
    assert {path.stat().st_mode & 0o777 for path in folder.checkpoints.iterdir()} == {0o600}


def test_the_best_is_the_best_on_disk(tmp_path: Path) -> None:
    """When the run ends, best.pt is of the step that the run calls best."""
    folder = create(tmp_path, "noisy", epochs=8)
    last = session.train(folder, Controls(), lambda event: None)
    best = checkpoint.read(folder.checkpoints / "best.pt")
    evaluations = {event.step: event.metrics["loss"] for event in said(folder) if isinstance(event, e.Evaluated)}
    assert best["progress"]["step"] == min(evaluations, key=lambda step: evaluations[step])
    assert best["best"]["value"] == last.best == min(evaluations.values())


def test_a_failed_save_is_tried_again(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at the next batch, but after a while, whatever the schedule says; then everything is as before."""
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    saving = Saving(folder, "2epochs")
    folder.checkpoints.rename(folder.path / "away")
    assert saving.train(9) == [8]
    assert [type(event) for event in saving.heard] == [e.Warned]
    (folder.path / "away").rename(folder.checkpoints)
    assert saving.train(1) == []
    clock[0] += keeper.RETRY
    assert saving.train(8) == [11, 16]
    saving.keeper.close()


def test_left_over_temporary_files_are_cleared(tmp_path: Path) -> None:
    """Those of a killed engine go when the next one starts."""
    folder = create(tmp_path, "noisy")
    left = [
        folder.checkpoints / ".latest.pt.1.tmp",
        folder.path / ".run.json.1.tmp",
        folder.checkpoints / ".SHA256SUMS.1.tmp",
    ]
    for path in left:
        path.write_bytes(b"half")
    session.train(folder, Controls(), lambda event: None)
    wait_for(lambda: not any(path.exists() for path in left), "clearing", 1)
