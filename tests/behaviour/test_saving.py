"""When checkpoints are saved; a save is a copy, written one at a time, and answered when the file is safe."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from stoker.engine import session
from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.checkpoints import manager
from stoker.engine.checkpoints.manager import CheckpointManager
from stoker.engine.checkpoints.snapshot_pool import SnapshotPool
from stoker.engine.errors import CheckpointError
from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.folder import RunFolder
from tests.support.deadlines import scaled, wait_until
from tests.support.process_runner import create, recorded_events


class Saving:
    """A checkpoint manager of a state of three numbers, and the events it emits."""

    def __init__(self, folder: RunFolder, every: str | None = None, keep: int = 0) -> None:
        self.step = self.epoch = 0
        self.weight = torch.zeros(3)
        self.received: list[e.Event] = []
        self.manager = CheckpointManager(
            folder, every, keep, self.state, self.received.append, lambda: None, None, finite=True
        )
        self.manager.start(0, 0)

    def state(self) -> dict[str, Any]:
        return {
            "format": 1,
            "model": {"weight": self.weight},
            "optimizer": {},
            "settings": {},
            "early_stopping": {"monitor": "loss", "best": 1.0, "best_step": 0, "waited": 0},
            "progress": {"step": self.step, "epoch": self.epoch},
        }

    def train(self, steps: int, per_epoch: int = 4) -> list[int]:
        """Take steps as the loop does; return the steps at which `latest` was saved."""
        saved = []
        for _ in range(steps):
            self.step += 1
            self.weight += 1
            ended = self.step % per_epoch == 0
            self.epoch += ended
            if self.manager.due(self.step, self.epoch, time.monotonic(), epoch_ended=ended):
                self.manager.save_latest("schedule", wait=True)
                saved.append(self.step)
        return saved


@pytest.mark.parametrize(
    ("every", "steps"), [("3steps", [3, 6, 9, 12]), ("2epochs", [8]), ("1epochs", [4, 8, 12]), ("100s", []), (None, [])]
)
def test_latest_is_saved_every_given_number_of_steps_or_epochs(
    every: str | None, steps: list[int], run_folder: RunFolder
) -> None:
    """Latest is saved every so many steps or epochs; the default does not slow a fast run."""
    saving = Saving(run_folder, every)
    assert saving.train(13) == steps
    saving.manager.close()


def test_latest_is_saved_every_given_number_of_seconds(run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default latest is saved every five minutes, and at an epoch's end after a minute."""
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    timed, default = Saving(run_folder, "30s"), Saving(run_folder)
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
    timed.manager.close()
    default.manager.close()


def test_save_is_a_copy_of_the_state(run_folder: RunFolder) -> None:
    """Training after the call changes neither the file nor an earlier snapshot."""
    saving = Saving(run_folder)
    for _ in range(29):
        saving.train(1)
        saving.manager.save_latest("command")
        saving.weight += 0.5
        saving.weight -= 0.5
    saving.manager.close()
    _, saved, _ = checkpoint.newest(run_folder.checkpoints) or (None, {}, [])
    assert saved["model"]["weight"].tolist() == [29.0] * 3
    steps = [event.step for event in saving.received if isinstance(event, e.CheckpointSaved)]
    assert steps == list(range(1, 30)), "one after the other, in order"


def test_snapshot_reuses_only_released_memory() -> None:
    """A released snapshot's memory is reused, a held one's is not; CPU step counters are copied too."""
    snapshots = SnapshotPool()
    model = torch.nn.Linear(3, 3)
    adam = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    adam.step()
    state = {"model": model.state_dict(), "optimizer": adam.state_dict()}
    first, second = snapshots.acquire(state), snapshots.acquire(state)
    counter = first["optimizer"]["state"][0]["step"]
    adam.step()
    assert (counter.item(), adam.state[model.weight]["step"].item()) == (1, 2)
    assert first["model"]["weight"].data_ptr() != second["model"]["weight"].data_ptr()
    room = first["model"]["weight"].data_ptr()
    snapshots.release(first)
    third = snapshots.acquire(state)
    assert third["model"]["weight"].data_ptr() == room
    assert torch.equal(third["model"]["weight"], model.weight)
    snapshots.release(third)
    other = snapshots.acquire({"model": {"weight": torch.ones(2, dtype=torch.float64)}, "name": "x"})
    assert other["model"]["weight"].tolist() == [1, 1] and other["name"] == "x"


def test_one_checkpoint_is_written_at_a_time(run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saves by hand wait for one another; a scheduled save is not queued."""
    inside, most, real = [0], [0], checkpoint.write

    def slow(*given: Any) -> int:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.02)
        size = real(*given)
        inside[0] -= 1
        return size

    monkeypatch.setattr(checkpoint, "write", slow)
    saving = Saving(run_folder, "1steps")
    saving.manager.save_latest("command", commands=("a",))
    saving.manager.save_latest("command", commands=("b",))
    saving.manager.stage_best()
    saving.step = 1
    assert not saving.manager.due(1, 0, time.monotonic(), epoch_ended=False), "due again when the disk is free"
    saving.manager.finish()
    assert saving.manager.due(1, 0, time.monotonic(), epoch_ended=False)
    saving.manager.close()
    assert most == [1]
    answers = [event.id for event in saving.received if isinstance(event, e.CommandAnswered)]
    assert answers == ["a", "b"]


def test_one_save_answers_all_commands_that_waited_for_it(
    run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A held key asks for a save many times a second; each copy of the state takes memory."""
    go, real, copies = threading.Event(), checkpoint.write, list[int]()

    def held(*given: Any) -> int:
        assert go.wait(scaled(20))
        return real(*given)

    monkeypatch.setattr(checkpoint, "write", held)
    saving = Saving(run_folder)
    acquire = SnapshotPool.acquire
    monkeypatch.setattr(SnapshotPool, "acquire", lambda pool, state: copies.append(1) or acquire(pool, state))
    for number in range(50):
        saving.step = number
        saving.manager.save_for(str(number))
        saving.manager.poll()
    assert len(copies) == 1
    go.set()

    def answers() -> list[tuple[str, str]]:
        saving.manager.poll()
        return [(event.id, event.message) for event in saving.received if isinstance(event, e.CommandAnswered)]

    wait_until(lambda: len(answers()) == 50, "all are answered", 10)
    assert answers() == [("0", "saved step 0"), *((str(number), "saved step 49") for number in range(1, 50))]
    assert len(copies) == 2
    saving.manager.close()


def test_commands_that_wait_at_the_end_are_answered(run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last save answers them; without one they fail."""
    for last in (True, False):
        saving = Saving(run_folder)
        saving.manager.save_for("a")
        saving.manager._waiting = ("b",)
        if last:
            saving.manager.save_final("end")
        saving.manager.close()
        answers = [(event.id, event.status) for event in saving.received if isinstance(event, e.CommandAnswered)]
        assert answers == [("a", "done"), ("b", "done" if last else "failed")]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_state_without_room_for_a_copy_is_written_in_place(
    run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The training waits for the write. Its own tensors never become a snapshot's memory."""
    saving = Saving(run_folder)
    saving.train(3)
    acquire = SnapshotPool.acquire

    def refuse(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(SnapshotPool, "acquire", refuse)
    saving.manager.save_latest("schedule")
    saving.manager.stage_best()
    warnings = [event.message for event in saving.received if isinstance(event, e.Warned)]
    assert len(warnings) == 2 and "No memory for a copy" in warnings[0]
    monkeypatch.setattr(SnapshotPool, "acquire", acquire)
    saving.train(2)
    saving.manager.save_latest("schedule", wait=True)
    saving.weight += 1
    for name, value in (("previous", 3.0), ("best", 3.0), ("latest", 5.0)):
        saved = checkpoint.read(run_folder.checkpoints / f"{name}.pt")
        assert saved["model"]["weight"].tolist() == [value] * 3
    assert saving.weight.tolist() == [6.0] * 3
    saving.manager.close()


def test_system_without_room_for_a_thread_saves_all_the_same(
    run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The training waits for the write."""

    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    saving = Saving(run_folder)
    assert saving.manager.save_final("end")
    saving.manager.close()
    assert (run_folder.checkpoints / "latest.pt").exists()


def test_training_continues_while_a_checkpoint_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to a save by hand comes when the file is safe, and not before."""
    folder = create(tmp_path, "noisy", epochs=60, patience=None)
    go, real, steps = threading.Event(), checkpoint.write, list[int]()

    def held(where: Path, names: Any, state: Any) -> int:
        if "latest.pt" in names and state["progress"]["epoch"] < 60:
            assert go.wait(scaled(20))
        return real(where, names, state)

    monkeypatch.setattr(checkpoint, "write", held)
    controls, received = Controls(), list[e.Event]()
    command_id = controls.send(Command(command="save"))

    def hear(event: e.Event) -> None:
        received.append(event)
        if isinstance(event, e.Steps):
            steps.append(event.step or 0)
        if len(steps) > 2:
            assert go.is_set() or not [1 for event in received if isinstance(event, e.CommandAnswered)]
            go.set()

    assert session.train(folder, controls, hear).cause == "completed"
    (answer,) = [event for event in received if isinstance(event, e.CommandAnswered)]
    saved = [event for event in received if isinstance(event, e.CheckpointSaved) and event.cause == "command"]
    assert (answer.id, answer.status, saved[0].step) == (command_id, "done", answer.step)
    assert steps[1] > (answer.step or 0), "training went on meanwhile"


def test_numbered_checkpoints_are_kept_beside_latest_and_best(tmp_path: Path) -> None:
    """--keep 2 keeps the two newest scheduled checkpoints, and each can be resumed."""
    folder = create(tmp_path, "noisy", keep=2, save_every="5steps")
    session.train(folder, Controls(), lambda event: None)
    names = sorted(path.name for path in folder.checkpoints.glob("*.pt"))
    numbered = [name for name in names if name.startswith("step-")]
    assert set(names) - set(numbered) == {"latest.pt", "previous.pt", "best.pt"}
    assert 1 <= len(numbered) <= 2
    for name in names:
        assert checkpoint.read(folder.checkpoints / name)["model"]
    assert {path.stat().st_mode & 0o777 for path in folder.checkpoints.iterdir()} == {0o600}


def test_best_on_disk_is_the_runs_best_at_its_end(tmp_path: Path) -> None:
    """When the run ends, best.pt is of the run's best step."""
    folder = create(tmp_path, "noisy", epochs=8)
    last = session.train(folder, Controls(), lambda event: None)
    best = checkpoint.read(folder.checkpoints / "best.pt")
    evaluations = {
        event.step: event.metrics["loss"] for event in recorded_events(folder) if isinstance(event, e.Evaluated)
    }
    assert best["progress"]["step"] == min(evaluations, key=lambda step: evaluations[step])
    assert best["best"]["value"] == last.best == min(evaluations.values())


def test_failed_save_is_retried_after_a_while(run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed save is not retried at the next batch, but after a while whatever the schedule says."""
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    saving = Saving(run_folder, "2epochs")
    run_folder.checkpoints.rename(run_folder.path / "away")
    assert saving.train(9) == [8]
    assert [type(event) for event in saving.received] == [e.Warned]
    (run_folder.path / "away").rename(run_folder.checkpoints)
    assert saving.train(1) == []
    clock[0] += manager.RETRY_INTERVAL
    assert saving.train(8) == [11, 16]
    saving.manager.close()


def test_temporary_files_of_a_killed_engine_are_removed(tmp_path: Path) -> None:
    """The next engine removes the temporary files of a killed one."""
    folder = create(tmp_path, "noisy")
    left = [
        folder.checkpoints / ".latest.pt.1.tmp",
        folder.path / ".run.json.1.tmp",
        folder.checkpoints / ".SHA256SUMS.1.tmp",
    ]
    for path in left:
        path.write_bytes(b"half")
    session.train(folder, Controls(), lambda event: None)
    wait_until(lambda: not any(path.exists() for path in left), "clearing", 1)


def test_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    """Its best value would be reported as this run's; a checkpoint of an older version has no name and is taken."""
    mine, other = (create(tmp_path, "noisy", name=name, epochs=2) for name in ("mine", "other"))
    for folder in (mine, other):
        session.train(folder, Controls(), lambda event: None)
    foreign = other.checkpoints / "latest.pt"
    with pytest.raises(CheckpointError, match="belongs to run other, not to mine"):
        session.train(mine, Controls(), lambda event: None, checkpoint=str(foreign))
    saved = torch.load(foreign, weights_only=True)
    del saved["run"]
    torch.save(saved, tmp_path / "old.pt")
    finished = session.train(mine, Controls(), lambda event: None, checkpoint=str(tmp_path / "old.pt"))
    assert finished.cause == "completed"


def test_a_best_that_waits_is_written_by_the_clock(run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second best of a second is held in memory, and `poll` writes it when the second is over."""
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    saving = Saving(run_folder)
    for step in (1, 2):
        saving.step = step
        saving.manager.stage_best()
        saving.manager.poll()
        saving.manager._writer.wait()
    best = run_folder.checkpoints / "best.pt"
    assert checkpoint.read(best)["progress"]["step"] == 1
    clock[0] += manager.BEST_INTERVAL
    saving.manager.poll()
    saving.manager._writer.wait()
    assert checkpoint.read(best)["progress"]["step"] == 2
    saving.manager.close()
