"""kill -9 at random moments: benchmarks/kill_nine.py does it a hundred times, here it is ten."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "kill_nine.py"


# Not by default yet: once in several runs on a busy machine a save that was told to be safe was not the newest found.
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [10, 100])
def test_kill_nine(kills: int) -> None:
    """Every resume succeeds, at most an interval and the save under way is lost, and the end is the same."""
    done = subprocess.run([sys.executable, SCRIPT, f"--kills={kills}"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["kills"] == kills
    assert kills < 100 or found["killed_inside_a_save"] > 0
    assert found["resumes_that_failed"] == 0
    assert found["lost_more_than_two_saves_apart"] == found["lost_though_told_to_be_safe"] == 0
    assert found["same_weights"] and found["same_losses"]
