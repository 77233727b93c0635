"""What is so already is done: who asks for it once more is told so, and that is no failure."""

from __future__ import annotations

from pathlib import Path

from stoker.engine import session
from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.events import CommandAnswered, Event
from tests.support.process_runner import create


def test_pause_and_resume_of_what_is_so_already(tmp_path: Path) -> None:
    """Both are answered in the same way."""
    controls, events = Controls(), list[Event]()
    for command in ("resume", "pause", "pause", "resume", "resume"):
        controls.send(Command(command=command))
    session.train(create(tmp_path, "held", epochs=1), controls, events.append)
    answers = [(event.status, event.message) for event in events if isinstance(event, CommandAnswered)]
    assert answers == [
        ("done", "was not paused"),
        ("done", "paused"),
        ("done", "was paused already"),
        ("done", "goes on"),
        ("done", "was not paused"),
    ]
