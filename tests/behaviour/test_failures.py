"""What goes wrong in training: told in one line, the state saved, and the run resumable where that is possible."""

from __future__ import annotations

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
from tests.support.process_runner import Forge, assert_same_run, create, heard, said, state, unequal, wait_for


def train(folder: RunFolder, wanted: str | None = None) -> e.RunFinished:
    """Train in this process."""
    return session.train(folder, Controls(), lambda event: None, checkpoint=wanted)


def warnings(folder: RunFolder, kind: str) -> list[str]:
    """Return what was warned of."""
    return [event.message for event in said(folder) if isinstance(event, e.Warned) and event.kind == kind]


ERRORS = [
    ("memory", "forward", "out of memory on cpu: use a smaller --batch-size with --accumulate"),
    ("memory", "backward", "out of memory on cpu: use a smaller --batch-size with --accumulate"),
    ("value", "forward", "ValueError: the third shelf is empty (tasks_for_tests.py:"),
    ("value", "backward", "ValueError: the third shelf is empty (tasks_for_tests.py:"),
    ("exit", "forward", "SystemExit: 3 (tasks_for_tests.py:"),
]


@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize(("error", "where", "message"), ERRORS)
def test_an_error_in_a_batch(
    error: str, where: str, message: str, accumulate: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run fails with a line that helps; resumed, it is as if the batch had not been begun."""
    parameters = {"where": where, "error": error}
    whole, folder = (create(tmp_path, "failing", parameters, name=n, accumulate=accumulate) for n in ("whole", "cut"))
    assert train(whole).cause == "completed"
    monkeypatch.setenv("FAIL", "yes")
    last = train(folder)
    assert (last.cause, process.exit_code(last, Controls())) == ("failed", 1)
    assert last.message.startswith(message)
    assert said(folder)[-1] == last
    monkeypatch.delenv("FAIL")
    assert train(folder).cause == "completed"
    assert state(folder)["progress"] == state(whole)["progress"]
    if where == "forward" or accumulate == 1:
        assert_same_run(whole, folder)


def test_an_error_inside_an_optimizer_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an update is no state to save: the checkpoint before stays."""
    monkeypatch.setenv("FAIL", "yes")
    folder = create(tmp_path, "failing", {"where": "optimizer"}, save_every="4steps")
    last = train(folder)
    assert last.cause == "failed" and "the last good checkpoint stays" in last.message
    saved = [event.cause for event in said(folder) if isinstance(event, e.CheckpointSaved)]
    assert "end" not in saved and state(folder)["progress"]["step"] <= last.step


def test_overfitting(forge: Forge, tmp_path: Path) -> None:
    """Told once, with the best step, when the evaluated loss rose while the training loss fell."""
    folder = create(tmp_path, "learned_by_heart")
    assert train(folder).cause == "completed"
    told = warnings(folder, "overfitting")
    assert len(told) == 1
    assert re.fullmatch(r"best was step [\d,]+, now the evaluated loss rises while the training loss falls", told[0])


def test_two_engines_on_one_run(forge: Forge, tmp_path: Path) -> None:
    """The second is refused at once, with exit code 2, and told who holds the run; the first notices nothing."""
    folder = create(tmp_path, "endless")
    done = forge.start(folder)
    pid = wait_for(lambda: heard(folder, e.RunStarted), "start").pid
    second = subprocess.run(
        [sys.executable, "-m", "stoker.engine", str(folder.path)], capture_output=True, text=True, check=False
    )
    assert second.returncode == 2
    assert second.stderr.startswith("stoker: run run is already being trained by process ")
    assert f"process {pid} on " in second.stderr and len(second.stderr.splitlines()) == 1
    assert not done.done()
    process.os.kill(pid, 15)
    assert done.result(20) == 143


def test_a_checkpoint_of_another_model(tmp_path: Path) -> None:
    """Keys and shapes that differ are named, and nothing is trained."""
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
def test_another_environment(what: str, then: Any, forge: Forge, tmp_path: Path) -> None:
    """It goes on, and says that the bits may differ."""
    folder = create(tmp_path, "held")
    assert forge.run(folder, at=6, how="SIGTERM") == 143
    saved = torch.load(folder.checkpoints / "latest.pt", weights_only=True)
    saved["environment"][what] = then
    checkpoint.write(folder.checkpoints, ["latest.pt"], saved)
    assert train(folder).cause == "completed"
    (told,) = warnings(folder, "inexact")
    assert f"the last bits may differ: {what} was {then}, is " in told


def test_the_threads_a_run_began_with_are_kept(forge: Forge, tmp_path: Path) -> None:
    """A resume where torch's default is another number computes as before."""
    folder = create(tmp_path, "held", threads=None)
    assert forge.run(folder, at=6, how="SIGTERM") == 143
    saved = torch.load(folder.checkpoints / "latest.pt", weights_only=True)
    assert saved["settings"]["threads"] == 1
    saved["settings"]["threads"] = saved["environment"]["threads"] = 2
    checkpoint.write(folder.checkpoints, ["latest.pt"], saved)
    assert forge.run(folder) == 0
    assert state(folder)["environment"]["threads"] == 2
    assert warnings(folder, "inexact") == []


def test_a_damaged_newest_checkpoint(forge: Forge, tmp_path: Path) -> None:
    """The run names it, goes on from the one before, and ends in the same bits."""
    whole, folder = (create(tmp_path, "noisy", name=name, save_every="4steps") for name in ("whole", "cut"))
    assert forge.run(whole) == 0
    assert forge.run(folder, at=20, how="SIGTERM") == 143
    newest = folder.checkpoints / "latest.pt"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 4
    newest.write_bytes(content)
    assert forge.run(folder) == 0
    (told,) = warnings(folder, "checkpoint")
    assert "latest.pt is torn or altered" in told
    assert_same_run(whole, folder)


def test_the_best_resumes_and_stays_the_way_back(forge: Forge, tmp_path: Path) -> None:
    """From then on the newest checkpoint is the best one's, should the run die before its first save."""
    folder = create(tmp_path, "noisy", epochs=6)
    assert forge.run(folder, at=66, how="SIGTERM") == 143
    best = state(folder, "best.pt")
    assert forge.run(folder, checkpoint="best", at=1, how="SIGTERM") == 143
    assert state(folder)["progress"]["step"] == best["progress"]["step"] < 60
    assert unequal(state(folder)["model"], best["model"]) == []


def test_a_run_that_is_done_says_that_nothing_was_left(tmp_path: Path) -> None:
    """Resuming it trains no step more."""
    folder = create(tmp_path, "held", epochs=1)
    first, again = train(folder), train(folder)
    assert (first.cause, first.message) == ("completed", "")
    assert (again.cause, again.step) == ("completed", first.step)
    assert again.message == "nothing was left to train: `stoker resume run --epochs N` trains on"
