"""Line files that one process appends to and others follow."""

from __future__ import annotations

import errno
import os
import resource
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.engine.runs import journal
from stoker.engine.runs.events import Steps, Warned, encode
from stoker.engine.runs.journal import EventFollower, Journal, LineFollower


def test_appended_events_are_read(tmp_path: Path) -> None:
    """Each read returns the events since the last one."""
    path = tmp_path / "events.jsonl"
    log, reader = Journal(path), EventFollower(path)
    assert reader.read_events() == []
    first, second = Warned(at=1.0, message="a"), Warned(at=2.0, message="ü\n")
    log.append(first)
    assert reader.read_events() == [first]
    log.append(second)
    assert reader.read_events() == [second]
    assert reader.read_events() == []
    log.close()
    assert path.stat().st_mode & 0o777 == 0o600


@given(st.lists(st.text(alphabet="ab\u00fc", max_size=5), max_size=8), st.data())
def test_any_chunking_gives_the_same_lines(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], data: st.DataObject
) -> None:
    """Complete lines are read, each once, in order; half a line is not."""
    path = tmp_path_factory.mktemp("lines") / "file"
    content = "".join(text + "\n" for text in texts).encode() + b"half"
    reader, found, start = LineFollower(path), [], 0
    while start < len(content):
        end = data.draw(st.integers(start + 1, len(content)))
        with path.open("ab") as file:
            file.write(content[start:end])
        found += reader.read()
        start = end
    assert found == [text.encode() for text in texts]


def test_half_a_line_of_a_killed_engine_is_cut(tmp_path: Path) -> None:
    """The next engine's first line is complete, and a reader that had read the half misses nothing."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(encode(Warned(at=1.0)) + b'{"event":"steps","losses":[1.0,2.')
    reader = EventFollower(path)
    assert len(reader.read_events()) == 1
    log = Journal(path)
    after = Warned(at=2.0, message="a line that is longer than the half that was cut off")
    log.append(after)
    log.close()
    assert reader.read_events() == [after]
    assert path.read_bytes() == encode(Warned(at=1.0)) + encode(after)


def test_a_file_without_any_newline_is_emptied(tmp_path: Path) -> None:
    """Half a first line is cut off too."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"x" * 200_000)
    Journal(path).close()
    assert path.read_bytes() == b""


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line longer than any event is skipped; the next one is read."""
    monkeypatch.setattr(journal, "LONGEST_LINE", 100)
    monkeypatch.setattr(journal, "CHUNK", 64)
    path = tmp_path / "commands.jsonl"
    path.write_bytes(b"a\n" + b"x" * 1000)
    reader = LineFollower(path)
    assert reader.read() == [b"a"]
    with path.open("ab") as file:
        file.write(b"x" * 1000 + b"\nb\n")
    assert reader.read() == [b"b"]


def test_a_reader_can_start_at_the_end(tmp_path: Path) -> None:
    """Lines that are there already are skipped."""
    path = tmp_path / "commands.jsonl"
    path.write_bytes(b"old\n")
    reader = LineFollower(path, at_end=True)
    with path.open("ab") as file:
        file.write(b"new\n")
    assert reader.read() == [b"new"]


def test_waiting_events_are_bounded_and_only_steps_are_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest `steps` go, all other events are written in order when there is space; no event is copied twice."""
    monkeypatch.setattr(journal, "MAX_WAITING", 20_000)
    path = tmp_path / "events.jsonl"
    log, write, sizes = Journal(path), os.write, list[int]()

    def full(_: int, data: bytes) -> int:
        sizes.append(len(data))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    for number in range(1, 1001):
        log.append(Steps(at=1.0, step=number, first=number, losses=[1.0] * 20))
        if number % 100 == 0:
            log.append(Warned(at=1.0, step=number))
    assert log.incomplete() == "No space left on device"
    assert log._size == sum(map(len, log._waiting)) <= 20_000 and max(sizes) < 1000
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:7]))
    log.append(Warned(at=1.0, step=1001))
    assert log._size == 0 and "given up" in (log.incomplete() or "")
    events = EventFollower(path).read_events()
    assert [event.step for event in events if isinstance(event, Warned)] == [*range(100, 1001, 100), 1001]
    steps = [event.step for event in events if isinstance(event, Steps)]
    assert steps == list(range(1001 - len(steps), 1001)) and 1000 - len(steps) == log.dropped > 0
    log.close()


def test_a_full_disk_loses_no_event(tmp_path: Path) -> None:
    """Events that do not fit are kept and written when there is space again; `append` never raises."""
    path = tmp_path / "events.jsonl"
    log = Journal(path)
    events = [Warned(at=float(i), message="x" * 500) for i in range(4)]
    log.append(events[0])
    child = os.fork()
    if not child:
        # In a child, because not every system lets a process raise a lowered limit again.
        code = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (800, resource.RLIM_INFINITY))
            log.append(events[1])
            log.append(events[2])
            full = log.error is not None
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            log.append(events[3])
            code = 0 if full and log.error is None else 1
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert EventFollower(path).read_events() == events
