"""Events as lines of the log."""

from __future__ import annotations

import pytest

from stoker.engine.runs import events as e
from stoker.tui.state.event_text import outcome
from stoker.tui.state.log_lines import line

RATE = e.CommandAnswered(command="set_learning_rate", status="failed", message="not nan")


@pytest.mark.parametrize(
    ("event", "text"),
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
        (e.Evaluated(step=5, metrics={"loss": 0.5}, cause="command"), "test loss 0.5000 at step 5 (manual)"),
        (e.LearningRate(step=5, lr=[0.01], cause="command"), "learning rate 0.01 at step 5 (manual)"),
        (e.Resumed(step=5), "resumed at step 5"),
    ],
)
def test_log_line_words_each_event(event: e.Event, text: str) -> None:
    """No internal names, no data set that may be wrong, and folds counted from 1."""
    found = line(event)
    assert found is not None and found[2] == text


def test_log_has_no_line_for_a_command_that_succeeded() -> None:
    """The event that the command caused has a line."""
    assert line(e.CommandAnswered(command="save", message="saved step 5")) is None
    stop = line(e.CommandAnswered(command="stop", message="saving and stopping"))
    assert stop is not None and stop[1:] == ("notice", "stop done: saving and stopping")


@pytest.mark.parametrize(
    ("waited", "patience", "text"),
    [
        (0, 50, "best so far"),
        (3, 50, "no improvement for 3 of 50 evaluations"),
        (1, 1, "no improvement for 1 of 1 evaluation"),
        (1, None, "no improvement for 1 evaluation"),
        (2, None, "no improvement for 2 evaluations"),
    ],
)
def test_outcome_counts_evaluations_since_the_best(waited: int, patience: int | None, text: str) -> None:
    """With the patience, if there is one."""
    assert outcome(e.EarlyStopping(waited=waited, patience=patience)) == text
