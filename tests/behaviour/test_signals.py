"""SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 save and end a run in any phase; a second SIGINT ends it at once."""

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
from tests.support.deadlines import scaled, wait_until
from tests.support.paths import SUPPORT
from tests.support.process_runner import ProcessRunner, checkpoint_state, create, last_event, recorded_events

LARGE = 400_000  # hidden units, so that a save takes tens of milliseconds


def pid_of(folder: RunFolder) -> int:
    """Wait for the start of the run and return the engine's pid."""
    return int(wait_until(lambda: last_event(folder, e.RunStarted), "start").pid)


def assert_ended_well(folder: RunFolder, signum: signal.Signals) -> None:
    """Check that the run recorded the reason of its end and a good checkpoint of its last step."""
    last = recorded_events(folder)[-1]
    assert isinstance(last, e.RunFinished)
    assert (last.cause, signum.name in last.message) == ("stopped", True)
    _, saved, trouble = checkpoint.newest(folder.checkpoints) or (None, {}, ["nothing was saved"])
    assert trouble == []
    assert saved["progress"]["step"] == last.step
    assert not list(folder.checkpoints.glob(".*.tmp"))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2])
def test_signal_ends_a_paused_run(signum: signal.Signals, process_runner: ProcessRunner, tmp_path: Path) -> None:
    """A paused run saves, ends with 128 + signal, and can be resumed."""
    folder = create(tmp_path, "endless")
    done = process_runner.start(folder)
    pid = pid_of(folder)
    controls.append(folder.commands, controls.Command(command="pause"))
    wait_until(lambda: last_event(folder, e.Paused), "pause")
    os.kill(pid, signum)
    assert done.result(scaled(10)) == 128 + signum
    assert_ended_well(folder, signum)
    assert process_runner.run(folder, at=5, how="SIGTERM") == 143
    assert checkpoint_state(folder)["progress"]["step"] > 0


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2])
def test_signal_ends_a_run_with_workers(signum: signal.Signals, process_runner: ProcessRunner, tmp_path: Path) -> None:
    """The workers ignore the signal, and have ended when the run has."""
    folder = create(tmp_path, "endless", workers=2)
    done = process_runner.start(folder)
    pid = pid_of(folder)
    wait_until(lambda: last_event(folder, e.Steps), "step")
    workers = wait_until(lambda: len(found := children(pid)) >= 2 and found, "workers")
    os.killpg(pid, signum)
    assert done.result(scaled(10)) == 128 + signum
    assert_ended_well(folder, signum)
    wait_until(lambda: not any(map(alive, workers)), "end of the workers", 10)


def test_signal_during_a_save_saves_the_last_state(process_runner: ProcessRunner, tmp_path: Path) -> None:
    """The save in progress is completed, then the last state is saved."""
    folder = create(tmp_path, "endless", {"hidden": LARGE})
    done = process_runner.start(folder)
    pid = pid_of(folder)
    controls.append(folder.commands, controls.Command(command="save"))
    wait_until(lambda: list(folder.checkpoints.glob(".latest.pt.*.tmp")), "save")
    os.kill(pid, signal.SIGTERM)
    assert done.result(scaled(30)) == 143
    assert last_event(folder, e.CheckpointSaved, cause="command")
    assert last_event(folder, e.CommandAnswered, command="save", status="done")
    assert_ended_well(folder, signal.SIGTERM)


def test_second_interrupt_ends_at_once(process_runner: ProcessRunner, tmp_path: Path) -> None:
    """The process does not wait for the save, and the previous checkpoint stays good."""
    folder = create(tmp_path, "endless", {"hidden": LARGE})
    done = process_runner.start(folder)
    pid = pid_of(folder)
    controls.append(folder.commands, controls.Command(command="save"))
    first = wait_until(lambda: last_event(folder, e.CheckpointSaved, cause="command"), "save")
    os.kill(pid, signal.SIGINT)
    wait_until(lambda: list(folder.checkpoints.glob(".latest.pt.*.tmp")), "last save")
    os.kill(pid, signal.SIGINT)
    assert done.result(scaled(1)) == -signal.SIGINT
    assert folder.state() == "lost"
    found = checkpoint.newest(folder.checkpoints)
    assert found is not None and found[1]["progress"]["step"] >= first.step
    assert process_runner.run(folder, at=5, how="SIGTERM") == 143
    assert not list(folder.checkpoints.glob(".*.tmp")), "left-over temporary files are cleared"


def test_signal_while_torch_is_loading_saves_and_ends(tmp_path: Path) -> None:
    """A signal in the first second is not lost: the run is built, saved and ended."""
    folder = create(tmp_path, "noisy")
    engine = subprocess.Popen([sys.executable, "-m", "stoker.engine", str(folder.path)])
    wait_until(lambda: catches(engine.pid, signal.SIGTERM), "signal handler")
    assert "libtorch_cpu" not in Path(f"/proc/{engine.pid}/maps").read_text(), "torch is not loaded yet"
    engine.send_signal(signal.SIGTERM)
    assert engine.wait(scaled(60)) == 143
    assert_ended_well(folder, signal.SIGTERM)
    assert checkpoint_state(folder)["progress"]["step"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2])
def test_workers_end_after_their_engine_was_killed(workers: int, process_runner: ProcessRunner, tmp_path: Path) -> None:
    """After `kill -9` the workers notice that their parent has died."""
    folder = create(tmp_path, "endless", workers=workers)
    done = process_runner.start(folder)
    pid = pid_of(folder)
    found = wait_until(lambda: len(found := children(pid)) >= workers and found, "workers")
    os.kill(pid, signal.SIGKILL)
    assert done.result(scaled(10)) == -signal.SIGKILL
    wait_until(lambda: not any(map(alive, found)), "end of the workers", 30)
    assert not folder.locked(), "a worker never holds the run"


@pytest.mark.slow
def test_hanging_worker_is_ended(process_runner: ProcessRunner, tmp_path: Path) -> None:
    """The engine does not wait a minute for a worker inside a slow item."""
    folder = create(tmp_path, "stuck", workers=1)
    start = time.monotonic()
    assert process_runner.run(folder, at=3, how="SIGTERM") == 143
    assert time.monotonic() - start < scaled(30)
    assert_ended_well(folder, signal.SIGTERM)


def children(pid: int) -> list[int]:
    """Return the pids of a process's children."""
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def alive(pid: int) -> bool:
    """Return whether a process runs and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def catches(pid: int, signum: signal.Signals) -> bool:
    """Return whether a process has a handler for a signal."""
    caught = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt")]
    return bool(int(caught[0].split()[1], 16) >> (signum - 1) & 1) if caught else False


def test_signal_to_stoker_run_ends_with_one_line_and_resumes(tmp_path: Path) -> None:
    """`stoker run` without a terminal ends with one clear line, and the run resumes from there."""
    task = f"{SUPPORT / 'tasks_for_tests.py'}:endless"
    stoker = [sys.executable, "-m", "stoker.tui"]
    place = ["--runs", str(tmp_path), "--headless"]
    run = subprocess.Popen([*stoker, "run", task, "--name", "signalled", *place], stdout=subprocess.PIPE, text=True)
    folder = RunFolder(tmp_path / "signalled")
    wait_until(lambda: last_event(folder, e.Steps), "step", 60)
    run.send_signal(signal.SIGINT)
    lines = run.communicate(timeout=scaled(30))[0].splitlines()
    assert run.returncode == 130
    assert lines[-1].startswith("stopped at step ")
    assert "stopped by SIGINT; continue with `stoker resume signalled`" in lines[-1]
    assert_ended_well(folder, signal.SIGINT)
