"""stoker in tmux over SSH, controlled by keys and read from the screen, as users have it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from stoker.engine.runs.events import CheckpointSaved, LearningRate, RunFinished
from stoker.engine.runs.folder import RunFolder
from tests.support.deadlines import wait_until
from tests.support.end_to_end import events, finished
from tests.support.ssh import sshd
from tests.support.terminal import PROGRAM, Terminal

STEP = r"step +([\d,]+) / "


def test_run_in_tmux_over_ssh_outlives_the_login(tmp_path: Path) -> None:
    """A run in tmux is watched, paused, resized and controlled; the login ends and the run finishes."""
    if not shutil.which("tmux"):
        pytest.skip("there is no tmux on this machine")
    folder = RunFolder(tmp_path / "runs" / "one")
    socket = f"stoker-{tmp_path.name[-20:]}"
    run = f"env OMP_NUM_THREADS=1 {PROGRAM} run iris --name one --epochs 10000000"
    command = f"cd {tmp_path} && TERM=xterm-256color LC_ALL=C.UTF-8 tmux -u -L {socket} new-session -A -s it '{run}'"
    try:
        with sshd(tmp_path) as ((program, *login), _):
            with Terminal([*login, command], tmp_path, program=program) as terminal:
                terminal.wait_for("training")
                before = terminal.number(STEP)
                terminal.wait_for(lambda text: terminal.number(STEP) > before)
                terminal.press(" ")
                terminal.wait_for("paused")
                paused_at = terminal.number(STEP)
                terminal.resize(80, 24)
                terminal.wait_for(lambda text: "paused" in text and all(len(line) <= 80 for line in text.splitlines()))
                assert terminal.number(STEP) == paused_at
                terminal.press("+")
                wait_until(
                    lambda: any(isinstance(event, LearningRate) for event in events(folder)), "the engine answers"
                )
                terminal.press(" ")
                terminal.wait_for(lambda text: terminal.number(STEP) > paused_at)
                # tmux's detach key ends the login, but not the program.
                terminal.press("\x02", "d")
                terminal.wait_for_end()
            with Terminal([*login, command], tmp_path, program=program) as terminal:
                terminal.wait_for("training")
                terminal.press("q")
                terminal.wait_for("Save and quit")
                terminal.press("\r")
                terminal.wait_for_end()
        wait_until(lambda: finished(folder), "it ends")
    finally:
        subprocess.run(["tmux", "-L", socket, "kill-server"], capture_output=True, check=False)
    history = events(folder)
    [changed] = [event for event in history if isinstance(event, LearningRate)]
    assert changed.cause == "command"
    assert changed.lr[0] > 0.01
    assert isinstance(history[-1], RunFinished)
    assert history[-1].cause == "stopped"
    assert any(isinstance(event, CheckpointSaved) and event.step == history[-1].step for event in history)
