"""The summary of what happened since a person last looked."""

from __future__ import annotations

from stoker.engine.runs import events as e
from stoker.tui.state.away import Away

THEN, NOW = 1000.0, 4000.0
BEFORE = [
    e.RunStarted(at=500),
    e.Steps(at=900, first=1, step=40),
    e.EarlyStopping(at=950, step=40, monitor="accuracy", best=0.9, best_step=40),
    e.CheckpointSaved(at=960, step=40),
]


def line(*events: e.Event, seen: float = THEN, now: float = NOW) -> str:
    away = Away(seen)
    for event in (*BEFORE, *events):
        away.receive(event)
    return away.line(now)


def test_it_tells_steps_the_best_value_saves_and_pauses() -> None:
    """Only what came after the last look counts."""
    text = line(
        e.Steps(at=2000, first=41, step=120),
        e.EarlyStopping(at=2001, step=120, monitor="accuracy", best=0.95, best_step=110),
        e.CheckpointSaved(at=2002, step=120),
        e.CheckpointSaved(at=2003, step=121),
        e.Warned(at=2004, kind="nan", step=121),
        e.Paused(at=2005, step=121, cause="nan"),
    )
    assert text == (
        "since you left, 50 min ago: step 40 → 121 · accuracy 0.9000 → 0.9500 ★ at 110 · 2 saves · 1 warning of NaN"
        " · paused: the loss was not finite"
    )


def test_a_best_value_that_stayed_is_said_so() -> None:
    """No better since then."""
    later = e.EarlyStopping(at=2001, step=120, monitor="accuracy", best=0.9, best_step=40, waited=2)
    assert "accuracy 0.9000, no better" in line(e.Steps(at=2000, first=41, step=120), later)


def test_nothing_is_said_without_news() -> None:
    """A run that stood still, a first look, or a short absence."""
    news = e.Steps(at=2000, first=41, step=120)
    assert line() == ""
    assert line(news, seen=0.0) == ""
    assert line(news, now=THEN + 30) == ""
    assert line(news) != ""


def test_it_vanishes_when_it_was_read() -> None:
    """Any key."""
    away = Away(THEN)
    away.receive(e.Steps(at=2000, first=41, step=120))
    away.dismissed = True
    assert away.line(NOW) == ""
