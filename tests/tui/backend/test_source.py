"""Where events come from: any way gives the same view."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.engine.runs.commands import Command, Controls
from stoker.engine.runs.events import encode
from stoker.engine.runs.folder import RunFolder
from stoker.tui.backend.engine_thread import Host
from stoker.tui.backend.source import BATCH, FolderSource, LiveSource, Source
from stoker.tui.state.run_view import RunView
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
def test_any_chunking_of_the_file_gives_the_same_view(cuts: list[int], end: int) -> None:
    """The file grows in any pieces and may end in half a line."""
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


def test_a_long_history_comes_in_batches(folder: RunFolder) -> None:
    """The screen can be drawn in between."""
    folder.events.write_bytes(encode(started()) * (BATCH + 10))
    source = FolderSource(folder)
    assert [len(source.read()) for _ in range(3)] == [BATCH, 10, 0]


def test_a_view_built_live_equals_the_one_from_the_file(folder: RunFolder, engine: FakeEngine) -> None:
    """History, then what the engine says; nothing twice, nothing lost, also over a resume."""
    host = Host(folder)
    live, source = RunView(), LiveSource(host)
    for last in (60, 95):
        drain(source, live)
        engine.last = last
        host.start()
        host._outcome.result(timeout=20)
        drain(source, live)
        live.apply(started(last, at=time_of(last)))
        with folder.events.open("ab") as file:
            file.write(encode(started(last, at=time_of(last))))
    attached = drain(FolderSource(folder), RunView())
    assert summary(attached) == summary(live)
    assert list(attached.lines) == list(live.lines)


def test_a_command_from_elsewhere_reaches_the_engine(folder: RunFolder) -> None:
    """By the folder's command file."""
    folder.commands.touch()
    controls = Controls(folder.commands)
    sent = FolderSource(folder).send(Command(command="pause"))
    assert [(command.id, command.command) for command in controls.take()] == [(sent, "pause")]


def test_alive_is_who_holds_the_lock(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what the file says."""
    monkeypatch.setattr("stoker.tui.backend.source.LOOK", 0.0)
    source = FolderSource(folder)
    assert not source.alive()
    with folder.lock():
        assert source.alive()
    assert not source.alive()
