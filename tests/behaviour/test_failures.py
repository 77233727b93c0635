"""Errors in training: one line says what is wrong, the state is saved, and the run can be resumed if possible."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from stoker.engine import session
from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.errors import CheckpointError
from stoker.engine.launch import process
from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Controls
from stoker.engine.runs.folder import RunFolder
from tests.support.deadlines import scaled, wait_until
from tests.support.process_runner import (
    ProcessRunner,
    assert_same_run,
    checkpoint_state,
    create,
    differences,
    last_event,
    recorded_events,
)


def train(folder: RunFolder, wanted: str | None = None) -> e.RunFinished:
    """Train a run in the test's own process."""
    return session.train(folder, Controls(), lambda event: None, checkpoint=wanted)


def warnings(folder: RunFolder, kind: str) -> list[str]:
    """Return the messages of a run's warnings of one kind."""
    return [event.message for event in recorded_events(folder) if isinstance(event, e.Warned) and event.kind == kind]


ERRORS = [
    ("memory", "forward", "out of memory on cpu: use a smaller --batch-size with --accumulate"),
    ("memory", "backward", "out of memory on cpu: use a smaller --batch-size with --accumulate"),
    ("value", "forward", "ValueError: the third shelf is empty (tasks_for_tests.py:"),
    ("value", "backward", "ValueError: the third shelf is empty (tasks_for_tests.py:"),
    ("exit", "forward", "SystemExit: 3 (tasks_for_tests.py:"),
]


@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize(("error", "where", "message"), ERRORS)
def test_error_in_a_batch_fails_the_run_which_can_be_resumed(
    error: str, where: str, message: str, accumulate: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that failed in a batch says what helps, and resumes as if the batch had not begun."""
    parameters = {"where": where, "error": error}
    whole, folder = (create(tmp_path, "failing", parameters, name=n, accumulate=accumulate) for n in ("whole", "cut"))
    assert train(whole).cause == "completed"
    monkeypatch.setenv("FAIL", "yes")
    last = train(folder)
    assert (last.cause, process.exit_code(last, Controls())) == ("failed", 1)
    assert last.message.startswith(message)
    assert recorded_events(folder)[-1] == last
    monkeypatch.delenv("FAIL")
    assert train(folder).cause == "completed"
    assert checkpoint_state(folder)["progress"] == checkpoint_state(whole)["progress"]
    if where == "forward" or accumulate == 1:
        assert_same_run(whole, folder)


def test_error_inside_an_optimizer_step_keeps_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state with half an update is not saved; the last good checkpoint is kept."""
    monkeypatch.setenv("FAIL", "yes")
    folder = create(tmp_path, "failing", {"where": "optimizer"}, save_every="4steps")
    last = train(folder)
    assert last.cause == "failed" and "the last good checkpoint is kept" in last.message
    saved = [event.cause for event in recorded_events(folder) if isinstance(event, e.CheckpointSaved)]
    assert "end" not in saved and checkpoint_state(folder)["progress"]["step"] <= last.step


def test_overfitting_is_reported_once_with_the_best_step(process_runner: ProcessRunner, tmp_path: Path) -> None:
    """One warning names the best step when the evaluated loss rises while the training loss falls."""
    folder = create(tmp_path, "learned_by_heart")
    assert train(folder).cause == "completed"
    found = warnings(folder, "overfitting")
    assert len(found) == 1
    assert re.fullmatch(r"best was step [\d,]+, now the evaluated loss rises while the training loss falls", found[0])


def test_second_engine_on_a_run_is_refused(process_runner: ProcessRunner, tmp_path: Path) -> None:
    """The second engine exits at once with code 2 and names the process that trains the run; the first continues."""
    folder = create(tmp_path, "endless")
    done = process_runner.start(folder)
    pid = wait_until(lambda: last_event(folder, e.RunStarted), "start").pid
    second = subprocess.run(
        [sys.executable, "-m", "stoker.engine", str(folder.path)], capture_output=True, text=True, check=False
    )
    assert second.returncode == 2
    assert second.stderr.startswith("stoker: run run is already being trained by process ")
    assert f"process {pid} on " in second.stderr and len(second.stderr.splitlines()) == 1
    assert not done.done()
    os.kill(pid, 15)
    assert done.result(scaled(20)) == 143


def test_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    """The error names the keys and shapes that differ, and nothing is trained."""
    folder = create(tmp_path, "held", epochs=1)
    train(folder)
    record = folder.record()
    record.parameters["hidden"] = 9
    folder.write_record(record)
    before = folder.events.read_bytes()
    with pytest.raises(
        CheckpointError, match=r"another model: body.0.weight is \(8, 6\), the model's is \(9, 6\); .* and 1 more"
    ):
        train(folder)
    assert folder.events.read_bytes() == before
    saved = torch.load(folder.checkpoints / "latest.pt", weights_only=True)
    saved["model"]["head.weight"] = saved["model"].pop("body.4.weight")
    torch.save(saved, folder.checkpoints / "other.pt")
    record.parameters["hidden"] = 8
    folder.write_record(record)
    with pytest.raises(CheckpointError, match=r"body.4.weight is missing; head.weight is not in the model"):
        train(folder, "other.pt")


@pytest.mark.parametrize(("what", "then"), [("torch", "1.0"), ("machine", "Darwin arm64"), ("threads", 64)])
def test_resume_in_another_environment_warns(
    what: str, then: Any, process_runner: ProcessRunner, tmp_path: Path
) -> None:
    """A resume in another environment trains, and warns that results may differ in the last bits."""
    folder = create(tmp_path, "held")
    assert process_runner.run(folder, at=6, how="SIGTERM") == 143
    saved = torch.load(folder.checkpoints / "latest.pt", weights_only=True)
    saved["environment"][what] = then
    checkpoint.write(folder.checkpoints, ["latest.pt"], saved)
    assert train(folder).cause == "completed"
    (message,) = warnings(folder, "inexact")
    assert f"({what} {then} → " in message
    assert message.endswith("results may differ in the last bits.")


def test_resume_keeps_the_number_of_threads(process_runner: ProcessRunner, tmp_path: Path) -> None:
    """A resumed run uses its first number of threads, even if torch's default has changed."""
    folder = create(tmp_path, "held", threads=None)
    assert process_runner.run(folder, at=6, how="SIGTERM") == 143
    saved = torch.load(folder.checkpoints / "latest.pt", weights_only=True)
    assert saved["settings"]["threads"] == 1
    saved["settings"]["threads"] = saved["environment"]["threads"] = 2
    checkpoint.write(folder.checkpoints, ["latest.pt"], saved)
    assert process_runner.run(folder) == 0
    assert checkpoint_state(folder)["environment"]["threads"] == 2
    assert warnings(folder, "inexact") == []


def test_damaged_newest_checkpoint_falls_back_to_the_previous_one(
    process_runner: ProcessRunner, tmp_path: Path
) -> None:
    """The run names the damaged checkpoint, resumes from the previous one, and ends with the same bits."""
    whole, folder = (create(tmp_path, "noisy", name=name, save_every="4steps") for name in ("whole", "cut"))
    assert process_runner.run(whole) == 0
    assert process_runner.run(folder, at=20, how="SIGTERM") == 143
    newest = folder.checkpoints / "latest.pt"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 4
    newest.write_bytes(content)
    assert process_runner.run(folder) == 0
    (message,) = warnings(folder, "checkpoint")
    assert "latest.pt is damaged" in message
    assert_same_run(whole, folder)


def test_resume_from_best_makes_it_the_newest_checkpoint(process_runner: ProcessRunner, tmp_path: Path) -> None:
    """After a resume from best.pt the newest checkpoint is the best one, even if the run dies before its first save."""
    folder = create(tmp_path, "noisy", epochs=6)
    assert process_runner.run(folder, at=66, how="SIGTERM") == 143
    best = checkpoint_state(folder, "best.pt")
    assert process_runner.run(folder, checkpoint="best", at=1, how="SIGTERM") == 143
    assert checkpoint_state(folder)["progress"]["step"] == best["progress"]["step"] < 60
    assert differences(checkpoint_state(folder)["model"], best["model"]) == []


def test_resuming_a_completed_run_trains_nothing_and_says_so(tmp_path: Path) -> None:
    """Resuming a completed run trains no further step."""
    folder = create(tmp_path, "held", epochs=1)
    first, again = train(folder), train(folder)
    assert (first.cause, first.message) == ("completed", "")
    assert (again.cause, again.step) == ("completed", first.step)
    assert again.message == "nothing was left to train: extend the run with `stoker resume run --epochs N`"
