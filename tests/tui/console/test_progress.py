"""A run as plain lines."""

from __future__ import annotations

import pytest

from stoker.engine.runs import events as e
from stoker.tui.console.progress import Lines

ENDED = e.RunFinished(step=9, epoch=3, test={"loss": 0.05, "accuracy": 0.9})
MEAN = e.RunFinished(step=9, epoch=3, test={"loss": 0.05, "loss_std": 0.01})


def said(*events: e.Event, past: tuple[e.Event, ...] = ()) -> list[str]:
    lines: list[str] = []
    plain = Lines(lines.append, "one", past)
    for event in events:
        plain.say(event)
    return lines


@pytest.mark.parametrize(("past", "now"), [(0, 2), (2, 0), (1, 1)])
@pytest.mark.parametrize(
    ("splits", "ended", "words"),
    [
        (("test", "test"), ENDED, "test accuracy 0.9000, loss 0.0500"),
        (("val", "test"), ENDED, "test accuracy 0.9000, loss 0.0500"),
        (("val", "val"), ENDED, "val accuracy 0.9000, loss 0.0500"),
        (("val", "val"), MEAN, "val loss 0.0500 ± 0.0100"),
    ],
)
def test_the_result_is_of_the_data_that_was_evaluated_last(
    splits: tuple[str, str], ended: e.RunFinished, words: str, past: int, now: int
) -> None:
    """By this engine, or by one before it."""
    evaluated = tuple(e.Evaluated(step=9, epoch=3, split=split, metrics={"loss": 0.1}) for split in splits)
    *_, last = said(*evaluated[2 - now :], ended, past=evaluated[:past])
    assert last == f"completed at step 9 (epoch 3); {words}"


def test_a_result_of_unknown_data_has_no_name() -> None:
    """Nothing was evaluated, or a fold was cut on other data than those before it were tested on."""
    assert said(ENDED) == ["completed at step 9 (epoch 3); accuracy 0.9000, loss 0.0500"]
    cut = e.RunFinished(step=9, epoch=3, cause="stopped", test=MEAN.test)
    assert "; loss 0.0500 ± 0.0100; " in said(e.Evaluated(split="val"), cut)[-1]


def test_a_command_is_no_name_of_the_code() -> None:
    """As a person says it."""
    answer = e.CommandAnswered(step=3, command="set_learning_rate", status="failed", message="not nan")
    assert said(answer) == ["step 3: set learning rate failed: not nan"]
