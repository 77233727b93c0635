"""Runs in the background: started, watched, controlled from other processes, handed over, killed and resumed."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from stoker.engine.runs.events import CommandAnswered, LearningRate, RunFinished, RunStarted
from stoker.engine.runs.folder import RunFolder
from tests.support.deadlines import wait_until
from tests.support.end_to_end import assert_same, events, finished, step, stoker
from tests.support.terminal import Terminal

STEP = r"step +([\d,]+) / "
ENDLESS = ["--epochs", "10000000"]


def pid_of(folder: RunFolder) -> int:
    """Return the pid of the run's last engine."""
    return [event.pid for event in events(folder) if isinstance(event, RunStarted)][-1]


def test_send_controls_a_background_run(tmp_path: Path) -> None:
    """Each command waits for its answer, and exits with 0 only if it was done."""
    started = stoker(tmp_path, "run", "iris", "--background", "--headless", "--name", "one", *ENDLESS)
    assert started.returncode == 0, started.stderr
    folder = RunFolder(tmp_path / "runs" / "one")
    # It runs in a session of its own, so that the end of a terminal does not end it.
    assert os.getsid(pid_of(folder)) != os.getsid(0)

    def send(*words: str) -> tuple[int, str]:
        done = stoker(tmp_path, "send", "one", *words)
        return done.returncode, (done.stdout + done.stderr).strip()

    assert send("pause") == (0, "paused")
    paused_at = step(folder)
    assert folder.state() == "paused"
    assert send("save") == (0, f"saved step {paused_at}")
    code, printed = send("evaluate")
    assert code == 0
    assert "accuracy" in printed
    assert send("lr=0.005") == (0, "learning rate 0.005")
    code, printed = send("lr=-1")
    assert code == 1
    assert "above 0" in printed
    assert step(folder) == paused_at
    assert send("resume") == (0, "resumed")
    wait_until(lambda: step(folder) > paused_at, "the run continues")
    assert send("resume") == (0, "was not paused")
    assert send("pause", "--release")[0] == 0
    assert send("resume")[0] == 0
    assert send("stop") == (0, "saving and stopping")
    wait_until(lambda: finished(folder) and not folder.locked(), "it ends by itself")
    assert [event.lr for event in events(folder) if isinstance(event, LearningRate)] == [[0.005]]
    code, printed = send("pause")
    assert code == 2
    assert "stopped" in printed


def test_garbage_in_the_command_file_is_answered_or_skipped(tmp_path: Path) -> None:
    """After half a line, a megabyte or an unknown command the run continues and executes the next command."""
    assert stoker(tmp_path, "run", "iris", "--background", "--headless", "--name", "one", *ENDLESS).returncode == 0
    folder = RunFolder(tmp_path / "runs" / "one")
    with folder.commands.open("ab") as file:
        file.write(b"\xff\xfe\n{\n" + b"y" * 1_000_000 + b'\n{"id": "7", "command": "dance"}\n[]\n')
    wait_until(
        lambda: any(isinstance(event, CommandAnswered) and event.id == "7" for event in events(folder)), "an answer"
    )
    [answer] = [event for event in events(folder) if isinstance(event, CommandAnswered)]
    assert answer.status == "failed"
    assert stoker(tmp_path, "send", "one", "stop").returncode == 0
    wait_until(lambda: finished(folder), "it ends")


def test_every_dashboard_shows_the_effect_of_commands_from_another(tmp_path: Path) -> None:
    """All dashboards have every key; closing one does not end the run."""
    assert stoker(tmp_path, "run", "iris", "--background", "--headless", "--name", "one", *ENDLESS).returncode == 0
    folder = RunFolder(tmp_path / "runs" / "one")
    with Terminal(["attach", "one"], tmp_path) as first, Terminal(["attach"], tmp_path, 80, 24) as second:
        first.wait_for("training")
        second.wait_for("training")
        first.press(" ")
        first.wait_for("paused")
        second.wait_for("paused")
        assert first.number(STEP) == second.number(STEP)
        second.press("r")
        first.wait_for("training")
        first.press("q")
        assert first.wait_for_end() == 0
        before = second.number(STEP)
        second.wait_for(lambda text: second.number(STEP) > before)
        os.kill(pid_of(folder), signal.SIGKILL)
        second.wait_for("interrupted")
        # The next engine resumes from this step.
        second.press("r")
        second.wait_for("training")
        before = second.number(STEP)
        second.wait_for(lambda text: second.number(STEP) > before)
        second.press("q")
        second.wait_for("Save and quit")
        second.press("\r")
        assert second.wait_for_end() == 0
    assert folder.state() == "stopped"


def test_wrong_request_of_a_background_run_is_reported_at_once(tmp_path: Path) -> None:
    """An error that the background process finds is reported too, and no run folder is left."""
    done = stoker(tmp_path, "run", "iris", "--background", "--headless", "--name", "one", "--monitor", "beauty")
    assert done.returncode == 2
    assert "beauty" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs" / "one").exists()


def detach(tmp_path: Path, name: str) -> None:
    """Resume a run in a worker thread, and hand it to a background process with `d`."""
    folder = RunFolder(tmp_path / "runs" / name)
    with Terminal(["resume", name], tmp_path) as terminal:
        terminal.wait_for("training")
        before = step(folder)
        wait_until(lambda: bool(terminal.text) and step(folder) > before, "it trains")
        terminal.press("d")
        assert terminal.wait_for_end() == 0
        assert f"stoker attach {name}" in terminal.text.replace("\n", "")
    assert folder.locked()


@pytest.mark.parametrize("hangs_up", [True, False])
def test_detached_run_trains_on_though_its_terminal_closes_at_once(tmp_path: Path, hangs_up: bool) -> None:
    """A person presses `d` and closes the window: the background process starts all the same."""
    folder = RunFolder(tmp_path / "runs" / "one")
    with Terminal(["run", "iris", "--name", "one", *ENDLESS], tmp_path) as terminal:
        first = terminal.process.pid
        terminal.wait_for("training")
        wait_until(lambda: bool(terminal.text) and step(folder) > 100, "it trains")
        terminal.press("d")
        wait_until(lambda: any(isinstance(event, CommandAnswered) for event in events(folder)), "the key is taken")
        if hangs_up:
            os.kill(first, signal.SIGHUP)
        terminal.cut()
        wait_until(lambda: pid_of(folder) != first and not finished(folder), "the background process trains", 20)
    stopped = step(folder)
    wait_until(lambda: step(folder) > stopped, "it trains on")
    assert stoker(tmp_path, "send", "one", "stop").returncode == 0
    wait_until(lambda: not folder.locked(), "it ends")


def moves(tmp_path: Path, count: int, seed: int) -> None:
    """Move a run between processes at random, and compare it with an undisturbed run."""
    chance = random.Random(seed)
    epochs = ["--epochs", str(count * 20_000), "--save-every", "500steps", "--threads", "1"]
    assert stoker(tmp_path, "run", "iris", "--headless", "--name", "quiet", *epochs).returncode == 0
    assert stoker(tmp_path, "run", "iris", "--background", "--headless", "--name", "one", *epochs).returncode == 0
    folder = RunFolder(tmp_path / "runs" / "one")
    done = 0
    while done < count and not finished(folder):
        move = chance.choice(["attach", "kill", "detach", "send"])
        if move == "attach":
            with Terminal(["attach", "one"], tmp_path) as terminal:
                terminal.wait_for("training|completed")
                terminal.press(" ")
                terminal.wait_for("paused|completed")
                terminal.press("e", "s", "r")
                terminal.wait_for("training|completed")
                terminal.press("q")
                terminal.wait_for_end()
        elif move == "send":
            stoker(tmp_path, "send", "one", chance.choice(["save", "evaluate"]))
        else:
            if move == "kill":
                os.kill(pid_of(folder), signal.SIGKILL)
            else:
                stoker(tmp_path, "send", "one", "stop")
            wait_until(lambda: not folder.locked(), "it ended")
            if finished(folder) and folder.state() == "completed":
                break
            detach(tmp_path, "one")
        done += 1
        time.sleep(chance.random() * 0.5)
    wait_until(lambda: finished(folder) and folder.state() == "completed", "it ends", 300)
    assert sum(isinstance(event, RunFinished) and event.cause == "completed" for event in events(folder)) == 1
    assert_same(folder, RunFolder(tmp_path / "runs" / "quiet"))
    print(f"{done} moves, {step(folder)} steps")


def test_run_moved_between_processes_ends_with_the_same_bits(tmp_path: Path) -> None:
    """Worker thread, background, attached, killed, resumed: three times."""
    moves(tmp_path, 3, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_run_moved_twenty_times_ends_with_the_same_bits(tmp_path: Path) -> None:
    """Twenty random moves change no bit."""
    moves(tmp_path, 20, seed=2)
