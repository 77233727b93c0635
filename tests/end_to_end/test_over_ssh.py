"""As its users have it: stoker in tmux, tmux in SSH; everything by keys, everything read from the screen."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from stoker.engine.runs.events import CheckpointSaved, LearningRate, RunFinished
from stoker.engine.runs.folder import RunFolder
from tests.support.end_to_end import events, finished, wait_until
from tests.support.ssh import sshd
from tests.support.terminal import PROGRAM, Terminal

STEP = r"step +([\d,]+) / "


def test_a_run_is_watched_paused_resized_steered_and_finished(tmp_path: Path) -> None:
    """In a tmux that outlives the login."""
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
                # tmux's own key: leave it; the login ends, the program does not.
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
    said = events(folder)
    [changed] = [event for event in said if isinstance(event, LearningRate)]
    assert changed.cause == "command"
    assert changed.lr[0] > 0.01
    assert isinstance(said[-1], RunFinished)
    assert said[-1].cause == "stopped"
    assert any(isinstance(event, CheckpointSaved) and event.step == said[-1].step for event in said)
