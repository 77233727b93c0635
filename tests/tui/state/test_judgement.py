"""The second row of the dashboard: the judgement, why a run stands, when it ends, and the next keys."""

from __future__ import annotations

import time

import pytest

from stoker.engine.runs import events as e
from stoker.tui.state.judgement import judgement
from stoker.tui.state.run_view import RunView
from tests.support.recorded import BEGAN, run, time_of

NOW = time_of(330) + 0.5


def view_of(events: list[e.Event], *, alive: bool = True) -> RunView:
    view = RunView()
    for event in events:
        view.apply(event)
    view.caught_up, view.alive = True, alive
    return view


def words(view: RunView, width: int = 200, now: float = NOW) -> str:
    return "".join(text for text, _ in judgement(view, now, width, time.gmtime)).strip()


def test_a_training_run_says_how_it_goes_and_when_it_ends() -> None:
    """The end is a time of day."""
    text = words(view_of(run(330)))
    assert text.startswith("flat: test loss 0.422, no clear change") and " · done 15:06" in text


def test_a_run_that_waits_for_data_says_what_to_try() -> None:
    """From two fifths of the time on."""
    little = e.Steps(at=NOW, first=331, step=332, losses=[0.3, 0.3], data_wait=0.1)
    much = e.Steps(at=NOW, first=331, step=332, losses=[0.3, 0.3], data_wait=0.6)
    assert "waits for data" not in words(view_of([*run(330), little]))
    assert "waits for data 60% of the time: try more --workers" in words(view_of([*run(330), much]))


def test_patience_gives_an_earliest_end() -> None:
    """It is told where it comes before the end."""
    stopping = e.EarlyStopping(at=NOW, step=330, monitor="loss", best=0.3, best_step=270, waited=1, patience=3)
    first = e.EarlyStopping(at=NOW, step=315, monitor="loss", best=0.3, best_step=270, waited=0, patience=3)
    text = words(view_of([*run(330), first, stopping]))
    assert "earliest 15:06" in text


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        ("nan", "paused: the loss is not finite · space continues without that step"),
        ("command", "· space continues"),
    ],
)
def test_a_paused_run_says_why(cause: str, said: str) -> None:
    """The reason and the next key."""
    assert said in words(view_of([*run(330), e.Paused(at=NOW, step=330, cause=cause)]))


def test_a_lost_run_says_what_a_resume_repeats() -> None:
    """The last save and the steps since then."""
    saved = e.CheckpointSaved(at=NOW, step=310, kind="latest")
    text = words(view_of([*run(330), saved], alive=False))
    assert text == "the engine is gone since 15:06 · last save step 310 · r repeats 20 steps"
    assert words(view_of([e.RunStarted(at=BEGAN)], alive=False)).endswith("nothing was saved · r begins anew")


def test_a_failed_run_says_why() -> None:
    """The first line of its message."""
    failed = e.RunFinished(at=NOW, step=330, cause="failed", message="ValueError: no\n  File …")
    assert words(view_of([*run(330), failed])) == "ValueError: no"


def test_a_finished_run_says_its_best_and_the_next_keys() -> None:
    """A verdict that needs no action is not repeated."""
    text = words(view_of([*run(330), e.RunFinished(at=NOW, step=330, cause="completed")]))
    assert text.startswith("best ") and text.endswith("E results · X export · r trains longer")


def test_whole_parts_are_left_out_in_a_narrow_window() -> None:
    """Nothing is cut in the middle, and the first part always stays."""
    view = view_of([*run(330), e.RunFinished(at=NOW, step=330, cause="completed")])
    assert words(view, 50).endswith(("results", "export", "longer")) or "·" not in words(view, 50)
    assert words(view, 5).startswith("best ")


def test_a_run_that_has_not_begun_says_nothing() -> None:
    """No judgement without data."""
    assert words(view_of([])) == ""
