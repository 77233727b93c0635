"""The progress of a run as plain lines."""

from __future__ import annotations

import pytest

from stoker.engine.runs import events as e
from stoker.tui.console.progress import ProgressPrinter

ENDED = e.RunFinished(step=9, epoch=3, test={"loss": 0.05, "accuracy": 0.9})
MEAN = e.RunFinished(step=9, epoch=3, test={"loss": 0.05, "loss_std": 0.01})


def printed(*events: e.Event, past: tuple[e.Event, ...] = ()) -> list[str]:
    lines: list[str] = []
    printer = ProgressPrinter(lines.append, "one", past)
    for event in events:
        printer.emit(event)
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
def test_last_line_names_the_data_of_the_last_evaluation(
    splits: tuple[str, str], ended: e.RunFinished, words: str, past: int, now: int
) -> None:
    """The evaluation may be of this engine or of an earlier one."""
    evaluated = tuple(e.Evaluated(step=9, epoch=3, split=split, metrics={"loss": 0.1}) for split in splits)
    *_, last = printed(*evaluated[2 - now :], ended, past=evaluated[:past])
    assert last == f"completed at step 9 (epoch 3); {words}"


def test_last_line_names_no_data_if_the_data_are_unknown() -> None:
    """Nothing was evaluated, or the interrupted fold had other data than the earlier folds were tested on."""
    assert printed(ENDED) == ["completed at step 9 (epoch 3); accuracy 0.9000, loss 0.0500"]
    interrupted = e.RunFinished(step=9, epoch=3, cause="stopped", test=MEAN.test)
    assert "; loss 0.0500 ± 0.0100; " in printed(e.Evaluated(split="val"), interrupted)[-1]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            e.CommandAnswered(step=3, command="set_learning_rate", status="failed", message="not nan"),
            "step 3: set learning rate failed: not nan",
        ),
        (
            e.Evaluated(step=1200, epoch=2, split="val", metrics={"loss": 0.5, "accuracy": 0.25}, cause="command"),
            "step 1200 (epoch 2): val accuracy 0.2500, loss 0.5000 (manual)",
        ),
        (e.LearningRate(step=3, lr=[0.001], cause="schedule"), "step 3: learning rate 0.001"),
        (e.LearningRate(step=3, lr=[0.001], cause="command"), "step 3: learning rate 0.001 (manual)"),
        (
            e.CheckpointSaved(step=3, path="checkpoints/latest.pt", bytes=2_000_000, seconds=0.5, cause="schedule"),
            "step 3: saved latest.pt (2.0 MB in 500 ms, schedule)",
        ),
        (e.Paused(step=3), "step 3: paused (manual); continue with `stoker send one resume`"),
        (e.Paused(step=3, cause="nan"), "step 3: paused (nan); continue with `stoker send one resume`"),
        (e.Resumed(step=3), "step 3: resumed"),
        (e.Warned(step=3, kind="nan", message="the loss is not finite"), "warning (nan): the loss is not finite"),
        (
            e.RunStarted(run="one", task="iris", parameters=1234, epochs=2, device="cpu", resumed_from=60),
            "run one: task iris, 1,234 parameters, 2 epochs on cpu, resumed from step 60",
        ),
        (
            e.RunFinished(step=9, epoch=3, cause="early_stopping", best=0.5),
            "early_stopping at step 9 (epoch 3); best 0.5000",
        ),
        (
            e.RunFinished(step=9, epoch=3, cause="stopped", message="stopped on request"),
            "stopped at step 9 (epoch 3); stopped on request; continue with `stoker resume one`",
        ),
        (e.RunFinished(cause="failed", test={"loss": 0.5}, message="no memory"), "failed; no memory"),
    ],
)
def test_progress_printer_words_each_event(event: e.Event, line: str) -> None:
    """The step comes first, and the last line starts with the raw name of the cause, so that scripts can parse them."""
    assert printed(event) == [line]


def test_progress_printer_prints_no_line_for_early_stopping() -> None:
    """The line of the evaluation is enough for a log."""
    assert printed(e.EarlyStopping(step=3, waited=2, patience=5)) == []


@pytest.mark.parametrize(
    "event",
    [
        e.Logged(step=7, values={"acc": 0.5, "val/loss": 2.0}),
        e.Steps(first=6, step=7, scalars={"acc": [0.1, 0.5], "val/loss": [3.0, 2.0], "kl": [1.0, None]}),
    ],
)
def test_a_run_that_only_logs_prints_its_newest_values(event: e.Event) -> None:
    """Without epochs, a learning rate and samples per second, which it has not."""
    assert printed(e.RunStarted(run="one", task="train.py"), event) == [
        "run one: train.py",
        "step 7: acc 0.5000, val/loss 2.0000",
    ]
