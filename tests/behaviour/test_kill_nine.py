"""`kill -9` at ten random moments; the benchmark kill_nine does it a hundred times."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_run_killed_at_random_moments_resumes_and_ends_with_the_same_bits(kills: int) -> None:
    """Every resume succeeds, at most one interval and the save in progress are lost, and the result is the same."""
    command = [sys.executable, "-m", "benchmarks.cases.kill_nine", f"--kills={kills}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["kills"] == kills
    assert kills < 100 or found["killed_inside_a_save"] > 0
    assert found["resumes_that_failed"] == found["lost_though_reported_saved"] == 0
    lost = found["steps_lost"]
    # On a busy machine a save takes longer than a step, and a save in progress is lost with the process.
    assert lost["max"] <= found["steps_between_saves"] + max(0, found["steps_of_the_slowest_save"] - 1) * 2
    assert found["same_weights"] and found["same_losses"]
