"""Loops of the user's own, killed by -9 at random places and run again: the same weights and the same history."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

import stoker
from tests.support.deadlines import scaled, wait_until

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SCRIPTS = {
    "mnist_loop": ["--epochs", "3", "--limit", "2000", "--data", os.environ.get("STOKER_DATA", "")],
    "char_gpt": ["--steps", "250"],
    "dcgan": ["--epochs", "5"],
}
needs_mnist = pytest.mark.skipif(not os.environ.get("STOKER_DATA"), reason="needs the real MNIST in STOKER_DATA")
CASES = [pytest.param("mnist_loop", marks=needs_mnist), "char_gpt", "dcgan"]


def start(script: str, name: str, folder: Path) -> subprocess.Popen[str]:
    """Start an example that saves every seven steps."""
    command = [
        sys.executable,
        str(EXAMPLES / f"{script}.py"),
        *SCRIPTS[script],
        "--name",
        name,
        "--save-every",
        "7steps",
    ]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen[str]) -> None:
    """Wait until a script ends well."""
    out, _ = process.communicate(timeout=scaled(110))
    assert process.returncode == 0, out


def step_of(folder: Path, name: str) -> int:
    """Return the newest step in the events of a run."""
    try:
        return stoker.RunHistory.read(folder / "runs" / name).step
    except stoker.RunError:
        return 0


def reached_or_ended(process: subprocess.Popen[str], folder: Path, step: int) -> bool:
    """Return whether the killed run is at `step`, or its script has ended before it could be killed."""
    return step_of(folder, "killed") >= step or process.poll() is not None


def assert_equal_runs(folder: Path, one: str, other: str) -> None:
    """Weights of the script's own file and the whole logged history are bitwise equal."""
    first, second = (torch.load(folder / f"{name}.pt") for name in (one, other))
    flat = [torch.utils._pytree.tree_leaves(weights) for weights in (first, second)]
    assert all(torch.equal(a, b) for a, b in zip(*flat, strict=True))
    histories = [stoker.RunHistory.read(folder / "runs" / name) for name in (one, other)]
    assert np.array_equal(histories[0].losses, histories[1].losses)
    assert histories[0].metric_names == histories[1].metric_names
    for key in histories[0].metric_names:
        assert np.array_equal(histories[0].metric(*key), histories[1].metric(*key)), key


@pytest.mark.parametrize("script", CASES)
@pytest.mark.parametrize("kills", [1, pytest.param(10, marks=pytest.mark.slow)])
@pytest.mark.timeout(600)
def test_a_script_killed_at_random_and_run_again_ends_as_if_undisturbed(
    script: str, kills: int, tmp_path: Path
) -> None:
    """The same command resumes it; pauses and saves by hand in between leave the bits alone."""
    finish(start(script, "whole", tmp_path))
    last = step_of(tmp_path, "whole")
    generator = random.Random(f"{script} {kills}")
    for at in sorted(generator.sample(range(8, last - 5), kills)):
        process = start(script, "killed", tmp_path)
        reached = partial(reached_or_ended, process, tmp_path, at)
        wait_until(reached, f"step {at}", 100)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = start(script, "killed", tmp_path)
    wait_until(
        lambda: (tmp_path / "runs" / "killed").exists() and stoker.open_run("killed", runs=tmp_path / "runs").locked(),
        "lock",
    )
    for command in ("pause", "save", "resume"):
        try:
            assert stoker.send("killed", command, runs=tmp_path / "runs").status == "done"
        except stoker.RunError:
            break  # the script was nearly at its end
    finish(process)
    assert_equal_runs(tmp_path, "whole", "killed")
