"""A command that asks for the present state succeeds, and its answer says so."""

from __future__ import annotations

from pathlib import Path

from stoker.engine import session
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.events import CommandAnswered, Event
from tests.support.process_runner import create


def test_pausing_a_paused_run_succeeds_and_says_so(tmp_path: Path) -> None:
    """Pausing a paused run and resuming a running one are answered as done."""
    controls, events = Controls(), list[Event]()
    for command in ("resume", "pause", "pause", "resume", "resume"):
        controls.send(Command(command=command))
    session.train(create(tmp_path, "held", epochs=1), controls, events.append)
    answers = [(event.status, event.message) for event in events if isinstance(event, CommandAnswered)]
    assert answers == [
        ("done", "was not paused"),
        ("done", "paused"),
        ("done", "already paused"),
        ("done", "resumed"),
        ("done", "was not paused"),
    ]
