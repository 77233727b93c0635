"""The plain lines of one run."""

from __future__ import annotations

import json
import time

import pytest

from stoker.engine.runs import events as e
from stoker.engine.runs.events import encode_line
from stoker.tui.console.status_lines import change_of, status_dict, status_lines
from stoker.tui.state.run_view import RunView
from tests.support.recorded import run, time_of

NOW = time_of(330) + 0.5


@pytest.fixture
def view() -> RunView:
    view = RunView("digits-recorded")
    for event in run():
        view.apply(event)
    view.caught_up = True
    return view


def test_the_first_line_says_how_the_run_goes(view: RunView) -> None:
    """Its name, its state and the judgement, without a key that only the dashboard has."""
    first, *others = status_lines(view, NOW, time.gmtime)
    assert first.startswith(
        "digits-recorded: training, flat: test loss 0.422, no clear change over the last 2 evaluations"
    )
    assert others[0].startswith("step 330 of 540, epoch 8 of 12, trained ")
    view.apply(e.RunFinished(at=NOW, step=330, cause="completed"))
    assert "export" not in status_lines(view, NOW, time.gmtime)[0]


def test_the_lines_hold_the_newest_values(view: RunView) -> None:
    """Loss, learning rate, metrics, best value and last save, one fact a line."""
    text = "\n".join(status_lines(view, NOW, time.gmtime))
    for words in ("training loss 0.", "learning rate ", "test loss 0.4", "accuracy 0.", "best ", "last save "):
        assert words in text, text


def test_the_json_is_valid_where_a_value_is_not_finite(view: RunView) -> None:
    """Numbers that are not finite are strings."""
    view.apply(e.Evaluated(at=NOW, step=330, metrics={"loss": float("nan")}))
    found = json.loads(encode_line(status_dict(view, NOW)), parse_constant=pytest.fail)
    assert found["metrics"]["test/loss"] == "NaN" and found["state"] == "training" and found["step"] == 330


def test_the_line_of_watch_changes_with_an_evaluation_and_not_with_a_step(view: RunView) -> None:
    """A screen reader is not interrupted five times a second."""
    before = change_of(view, NOW)
    view.apply(e.Steps(at=NOW, first=331, step=332, losses=[0.3, 0.3]))
    assert change_of(view, NOW) == before
    view.apply(e.EarlyStopping(at=NOW, step=332, monitor="loss", best=0.3, best_step=332))
    assert change_of(view, NOW) != before
