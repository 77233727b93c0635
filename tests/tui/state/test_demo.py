"""The hints of the demonstration."""

from __future__ import annotations

from pathlib import Path

from stoker.engine.config.settings import Settings
from stoker.engine.runs import events as e
from stoker.engine.tasks.loading import check_early
from stoker.tui.state.demo import HINTS, SETTINGS, DemoHints, create_demo


def test_a_hint_vanishes_once_it_was_tried() -> None:
    """The effect counts, and a change of the rate by the schedule is none of the person's."""
    hints = DemoHints()
    hints.receive(e.Steps())
    hints.receive(e.LearningRate(cause="schedule"))
    assert list(hints.left) == list(HINTS)
    hints.receive(e.Paused())
    hints.receive(e.LearningRate(cause="command"))
    assert list(hints.left) == ["results", "detach"] and hints.line().startswith("try: E shows")
    hints.tried("results")
    hints.tried("detach")
    assert hints.line() == ""


def test_the_demonstration_is_an_ordinary_run(tmp_path: Path) -> None:
    """Its settings are valid, and it has its own folder each time."""
    first, second = create_demo(tmp_path), create_demo(tmp_path)
    assert first.name != second.name and first.record().task == "digits"
    Settings.of(SETTINGS)
    check_early(first.record().task, first.record().parameters)
