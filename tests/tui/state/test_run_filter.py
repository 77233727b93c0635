"""The filter of the list of runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.tui.state.run_filter import matches
from stoker.tui.state.run_summary import RunSummary

ROW = RunSummary(
    run="digits-7",
    task="digits",
    state="early_stopping",
    step=300,
    epoch=12,
    epochs=20,
    monitor="accuracy",
    best=0.97,
    metrics={"accuracy": 0.96, "loss": 0.1},
    started=0.0,
    age=90.0,
    settings={"lr": 0.003, "lr_min": 1e-5, "optimizer": "adam:weight_decay=0.1", "hidden": 32, "flip": True},
)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", True),
        ("digits", True),
        ("DIGITS accuracy", True),
        ("stopped", True),
        ("-digits", False),
        ("digits -sgd", True),
        ("digits -adam", False),
        ("lr>=0.003", True),
        ("lr>0.003", False),
        ("lr<0.001", False),
        ("lr=0.003", True),
        ("lr=3e-3", True),
        ("lr!=0.003", False),
        ("optimizer=ad", True),
        ("optimizer!=ad", False),
        ("opt=adam", True),
        ("accuracy>0.95 loss<0.2", True),
        ("best>=0.97 step>299 epoch<13", True),
        ("age<60", False),
        ("nothing=1", False),
        ("flip=true", True),
        ("lr>=", False),
    ],
)
def test_words_and_conditions_choose_runs(words: str, found: bool) -> None:
    """All words must hold; `-` turns one round."""
    assert matches(words, ROW) == found


@given(st.text(max_size=30))
def test_any_words_are_a_filter(words: str) -> None:
    """No input raises."""
    assert matches(words, ROW) in (True, False)
