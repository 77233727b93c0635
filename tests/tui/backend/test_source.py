"""The sources of events: each of them gives the same view."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.events import encode
from stoker.engine.runs.folder import RunFolder
from stoker.tui.backend.engine_thread import EngineThread
from stoker.tui.backend.source import MAX_EVENTS, FolderSource, LiveSource, Source
from stoker.tui.state.run_view import RunView
from tests.support.deadlines import scaled
from tests.support.fake_engine import FakeEngine
from tests.support.recorded import body, run, started, time_of
from tests.support.views import summary, view_of

EVENTS = [*run(120), started(60, at=time_of(120)), *body(60, 200)]
BYTES = b"".join(map(encode, EVENTS))


def drain(source: Source, view: RunView) -> RunView:
    while events := source.read():
        for event in events:
            view.apply(event)
    return view


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, len(BYTES)), max_size=12), st.integers(0, len(BYTES)))
def test_view_does_not_depend_on_how_the_file_grows(cuts: list[int], end: int) -> None:
    """The file grows in pieces of any size and may end in half a line."""
    with tempfile.TemporaryDirectory() as path:
        folder = RunFolder(Path(path))
        source, view = FolderSource(folder), RunView()
        whole = BYTES[:end]
        for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), end], strict=True):
            with folder.events.open("ab") as file:
                file.write(whole[start:stop])
            drain(source, view)
        complete = whole.count(b"\n")
    assert summary(view) == summary(view_of(EVENTS[:complete]))


def test_folder_source_returns_a_long_history_in_batches(run_folder: RunFolder) -> None:
    """The screen can be drawn between two batches."""
    run_folder.events.write_bytes(encode(started()) * (MAX_EVENTS + 10))
    source = FolderSource(run_folder)
    assert [len(source.read()) for _ in range(3)] == [MAX_EVENTS, 10, 0]


def test_live_source_gives_the_same_view_as_the_folder(run_folder: RunFolder, fake_engine: FakeEngine) -> None:
    """No event is missing or applied twice, also after a resume."""
    engine_thread = EngineThread(run_folder)
    live, source = RunView(), LiveSource(engine_thread)
    for last in (60, 95):
        drain(source, live)
        fake_engine.last = last
        engine_thread.start()
        engine_thread._outcome.result(timeout=scaled(20))
        drain(source, live)
        live.apply(started(last, at=time_of(last)))
        with run_folder.events.open("ab") as file:
            file.write(encode(started(last, at=time_of(last))))
    attached = drain(FolderSource(run_folder), RunView())
    assert summary(attached) == summary(live)
    assert list(attached.lines) == list(live.lines)


def test_command_of_a_folder_source_reaches_the_engine(run_folder: RunFolder) -> None:
    """Through the folder's command file."""
    run_folder.commands.touch()
    controls = Controls(run_folder.commands)
    sent = FolderSource(run_folder).send(Command(command="pause"))
    assert [(command.id, command.command) for command in controls.take()] == [(sent, "pause")]


def test_folder_source_is_alive_while_the_lock_is_held(run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The events do not matter."""
    monkeypatch.setattr("stoker.tui.backend.source.LOCK_CHECK_INTERVAL", 0.0)
    source = FolderSource(run_folder)
    assert not source.alive()
    with run_folder.lock():
        assert source.alive()
    assert not source.alive()
