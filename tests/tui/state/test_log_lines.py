"""Events as lines of the log."""

from __future__ import annotations

import pytest

from stoker.engine.runs import events as e
from stoker.tui.state.log_lines import line

RATE = e.CommandAnswered(command="set_learning_rate", status="failed", message="not nan")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (RATE, "set learning rate failed: not nan"),
        (e.RunFinished(step=1200, test={"loss": 0.05}), "completed at step 1,200   loss 0.05000"),
        (
            e.CheckpointSaved(step=1200, fold=1, path="checkpoints/fold-1-best.pt", bytes=2_000_000, cause="best"),
            "saved fold-1-best.pt of fold 2 at step 1,200 (2.0 MB in 0 ms, best)",
        ),
        (
            e.CheckpointSaved(step=1200, fold=1, path="checkpoints/latest.pt", bytes=2_000_000, cause="schedule"),
            "saved latest.pt at step 1,200 (2.0 MB in 0 ms, schedule)",
        ),
    ],
)
def test_what_the_log_says(event: e.Event, words: str) -> None:
    """No name of the code, no data that may be another, and folds as the screen counts them."""
    said = line(event)
    assert said is not None and said[2] == words
