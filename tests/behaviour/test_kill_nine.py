"""kill -9 at random moments: benchmarks/kill_nine.py does it a hundred times, here it is ten."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_kill_nine(kills: int) -> None:
    """Every resume succeeds, at most an interval and the steps of the save under way are lost, and the end is the same."""
    command = [sys.executable, "-m", "benchmarks.kill_nine", f"--kills={kills}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["kills"] == kills
    assert kills < 100 or found["killed_inside_a_save"] > 0
    assert found["resumes_that_failed"] == found["lost_though_told_to_be_safe"] == 0
    lost = found["steps_lost"]
    # On a busy machine a save takes more than a step; one that is under way cannot be found.
    assert lost["max"] <= found["steps_between_saves"] + max(0, found["steps_of_the_slowest_save"] - 1) * 2
    assert found["same_weights"] and found["same_losses"]
