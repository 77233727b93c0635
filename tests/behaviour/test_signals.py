"""SIGTERM, SIGINT and SIGUSR1 save and end the run, wherever it is; a second SIGINT ends it at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.runs import commands as controls
from stoker.engine.runs import events as e
from stoker.engine.runs.folder import RunFolder
from tests.support.paths import SUPPORT
from tests.support.process_runner import Forge, create, heard, said, state, wait_for

LARGE = 400_000  # hidden units, so that a save takes tens of milliseconds


def pid_of(folder: RunFolder) -> int:
    """Return the process that trains, once it has begun."""
    return int(wait_for(lambda: heard(folder, e.RunStarted), "start").pid)


def assert_ended_well(folder: RunFolder, signum: signal.Signals) -> None:
    """Check that the run says why it ended, and left a good checkpoint of where it was."""
    last = said(folder)[-1]
    assert isinstance(last, e.RunFinished)
    assert (last.cause, signum.name in last.message) == ("stopped", True)
    _, saved, trouble = checkpoint.newest(folder.checkpoints) or (None, {}, ["nothing was saved"])
    assert trouble == []
    assert saved["progress"]["step"] == last.step
    assert not list(folder.checkpoints.glob(".*.tmp"))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_paused(signum: signal.Signals, forge: Forge, tmp_path: Path) -> None:
    """A paused run saves and ends with 128 + signal, and resumes."""
    folder = create(tmp_path, "endless")
    done = forge.start(folder)
    pid = pid_of(folder)
    controls.append(folder.commands, controls.Command(command="pause"))
    wait_for(lambda: heard(folder, e.Paused), "pause")
    os.kill(pid, signum)
    assert done.result(10) == 128 + signum
    assert_ended_well(folder, signum)
    assert forge.run(folder, at=5, how="SIGTERM") == 143
    assert state(folder)["progress"]["step"] > 0


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_with_workers(signum: signal.Signals, forge: Forge, tmp_path: Path) -> None:
    """The workers get the signal too, ignore it, and are gone when the run has ended."""
    folder = create(tmp_path, "endless", workers=2)
    done = forge.start(folder)
    pid = pid_of(folder)
    wait_for(lambda: heard(folder, e.Steps), "step")
    workers = wait_for(lambda: len(found := children(pid)) >= 2 and found, "workers")
    os.killpg(pid, signum)
    assert done.result(10) == 128 + signum
    assert_ended_well(folder, signum)
    wait_for(lambda: not any(map(alive, workers)), "end of the workers", 10)


def test_during_a_save(forge: Forge, tmp_path: Path) -> None:
    """A save that is under way is finished, then the last state is saved."""
    folder = create(tmp_path, "endless", {"hidden": LARGE})
    done = forge.start(folder)
    pid = pid_of(folder)
    controls.append(folder.commands, controls.Command(command="save"))
    wait_for(lambda: list(folder.checkpoints.glob(".latest.pt.*.tmp")), "save")
    os.kill(pid, signal.SIGTERM)
    assert done.result(30) == 143
    assert heard(folder, e.CheckpointSaved, cause="command")
    assert heard(folder, e.CommandAnswered, command="save", status="done")
    assert_ended_well(folder, signal.SIGTERM)


def test_a_second_interrupt_ends_at_once(forge: Forge, tmp_path: Path) -> None:
    """It does not wait for the save, and the checkpoint before stays good."""
    folder = create(tmp_path, "endless", {"hidden": LARGE})
    done = forge.start(folder)
    pid = pid_of(folder)
    controls.append(folder.commands, controls.Command(command="save"))
    first = wait_for(lambda: heard(folder, e.CheckpointSaved, cause="command"), "save")
    os.kill(pid, signal.SIGINT)
    wait_for(lambda: list(folder.checkpoints.glob(".latest.pt.*.tmp")), "last save")
    os.kill(pid, signal.SIGINT)
    assert done.result(1) == -signal.SIGINT
    assert folder.state() == "lost"
    found = checkpoint.newest(folder.checkpoints)
    assert found is not None and found[1]["progress"]["step"] >= first.step
    assert forge.run(folder, at=5, how="SIGTERM") == 143
    assert not list(folder.checkpoints.glob(".*.tmp")), "left-over temporary files are cleared"


def test_while_torch_is_loading(tmp_path: Path) -> None:
    """A signal in the first second is not lost: the run is built, saved and ended."""
    folder = create(tmp_path, "noisy")
    engine = subprocess.Popen([sys.executable, "-m", "stoker.engine", str(folder.path)])
    wait_for(lambda: catches(engine.pid, signal.SIGTERM), "signal handler")
    assert "libtorch_cpu" not in Path(f"/proc/{engine.pid}/maps").read_text(), "torch is not loaded yet"
    engine.send_signal(signal.SIGTERM)
    assert engine.wait(60) == 143
    assert_ended_well(folder, signal.SIGTERM)
    assert state(folder)["progress"]["step"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2])
def test_workers_outlive_no_engine(workers: int, forge: Forge, tmp_path: Path) -> None:
    """After kill -9 the workers notice that their parent is gone."""
    folder = create(tmp_path, "endless", workers=workers)
    done = forge.start(folder)
    pid = pid_of(folder)
    found = wait_for(lambda: len(found := children(pid)) >= workers and found, "workers")
    os.kill(pid, signal.SIGKILL)
    assert done.result(10) == -signal.SIGKILL
    wait_for(lambda: not any(map(alive, found)), "end of the workers", 30)
    assert not folder.locked(), "a worker never holds the run"


@pytest.mark.slow
def test_a_worker_that_hangs_is_ended(forge: Forge, tmp_path: Path) -> None:
    """The engine does not wait a minute for a worker that is in the middle of a slow item."""
    folder = create(tmp_path, "stuck", workers=1)
    start = time.monotonic()
    assert forge.run(folder, at=3, how="SIGTERM") == 143
    assert time.monotonic() - start < 30
    assert_ended_well(folder, signal.SIGTERM)


def children(pid: int) -> list[int]:
    """Return the child processes of a process."""
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def alive(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def catches(pid: int, signum: signal.Signals) -> bool:
    """Say whether a process has a handler for a signal."""
    caught = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt")]
    return bool(int(caught[0].split()[1], 16) >> (signum - 1) & 1) if caught else False


def test_through_the_program(tmp_path: Path) -> None:
    """`stoker run` without a terminal ends with one clear line, and resumes from there."""
    task = f"{SUPPORT / 'tasks_for_tests.py'}:endless"
    stoker = [sys.executable, "-m", "stoker.tui"]
    place = ["--runs", str(tmp_path), "--headless"]
    run = subprocess.Popen([*stoker, "run", task, "--name", "told", *place], stdout=subprocess.PIPE, text=True)
    folder = RunFolder(tmp_path / "told")
    wait_for(lambda: heard(folder, e.Steps), "step", 60)
    run.send_signal(signal.SIGINT)
    lines = run.communicate(timeout=30)[0].splitlines()
    assert run.returncode == 130
    assert lines[-1].startswith("stopped at step ")
    assert "told to end by SIGINT; `stoker resume told` goes on from here" in lines[-1]
    assert_ended_well(folder, signal.SIGINT)
