"""Run folders."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from stoker.engine.errors import RunError, RunLocked
from stoker.engine.runs import folder as runs
from stoker.engine.runs.events import Paused, Resumed, RunFinished, RunStarted, Steps, encode
from stoker.engine.runs.folder import RunFolder

RECORD = {"parameters": {"hidden": "3"}, "given": {"lr": "0.1"}}


def test_a_run_is_its_owners_alone(folder: RunFolder) -> None:
    """Folders 0700, files 0600: other users of the machine see nothing."""
    with folder.lock():
        modes = {path.name: path.stat().st_mode & 0o777 for path in (folder.path, *folder.path.iterdir())}
    assert modes == {"one": 0o700, "checkpoints": 0o700, "run.json": 0o600, "lock": 0o600}


def test_the_record_comes_back(tmp_path: Path) -> None:
    """`run.json` has what it takes to run it again."""
    folder = runs.create(tmp_path, "iris", "a", RECORD)
    record = folder.record()
    assert (record.run, record.task, record.parameters, record.given) == ("a", "iris", {"hidden": "3"}, {"lr": "0.1"})
    assert abs(record.started - time.time()) < 60


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    """The message says what can be done."""
    runs.create(tmp_path, "iris", "a", RECORD)
    with pytest.raises(RunError, match="stoker resume a"):
        runs.create(tmp_path, "iris", "a", RECORD)


def test_names_that_are_made_up_never_collide(tmp_path: Path) -> None:
    """Two runs started within a second get two folders."""
    names = {runs.create(tmp_path, "iris", None, RECORD).name for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("iris-") for name in names)


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "x" * 101, "训" * 90, "a\nb", "-x", " ", "\u3000", ""])
def test_a_name_that_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    """An empty name is made up; the others cannot be."""
    if not name:
        assert runs.create(tmp_path, "iris", name, RECORD).name
        return
    with pytest.raises(RunError, match="name"):
        runs.create(tmp_path, "iris", name, RECORD)


def test_a_file_may_be_called_as_it_likes(tmp_path: Path) -> None:
    """The name that is made up of it is one that can be typed."""
    for stem, begins in (("-x", "x-"), (".hidden", "hidden-"), ("y" * 200, "y" * 50 + "-"), ("- ", "run-")):
        name = runs.create(tmp_path, f"/place/{stem}.py:task", None, RECORD).name
        assert name.startswith(begins) and len(name) <= 100


def test_long_and_foreign_names_are_fine(tmp_path: Path) -> None:
    """200 characters, and any script."""
    for name in ("x" * 100, "лента 训练"):
        assert runs.find(tmp_path, runs.create(tmp_path, "iris", name, RECORD).name).record().run == name


def test_a_second_engine_is_told_who_holds_the_run(folder: RunFolder) -> None:
    """And the lock is free again when the first is done."""
    other = RunFolder(folder.path)
    assert not other.locked()
    with folder.lock():
        assert other.locked()
        with pytest.raises(RunLocked, match=str(os.getpid())), other.lock():
            pass
    assert not other.locked()
    with other.lock():
        pass


def test_a_forked_worker_does_not_keep_the_lock(folder: RunFolder) -> None:
    """A DataLoader's worker outlives a killed engine by seconds."""
    (reader, writer), (began, begins) = os.pipe(), os.pipe()
    with folder.lock():
        child = os.fork()
        if not child:
            os.write(begins, b"x")
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
    os.read(began, 1)
    try:
        assert not folder.locked()
    finally:
        os.write(writer, b"x")
        os.waitpid(child, 0)


@pytest.mark.parametrize(
    ("events", "alive", "state"),
    [
        ([], False, "new"),
        ([RunStarted()], True, "training"),
        ([RunStarted(), Steps(step=3)], False, "lost"),
        ([RunStarted(), Paused()], True, "paused"),
        ([RunStarted(), Paused(), Resumed(), Steps()], True, "training"),
        ([RunStarted(), RunFinished(cause="early_stopping")], False, "early_stopping"),
        ([RunFinished(), RunStarted(resumed_from=3)], False, "lost"),
        ([RunFinished(), RunStarted(resumed_from=3)], True, "training"),
    ],
)
def test_the_state_is_told_by_the_last_events_and_the_lock(
    folder: RunFolder, events: list, alive: bool, state: str
) -> None:
    """A run whose process is gone without a word is lost."""
    folder.events.write_bytes(b"".join(map(encode, events)))
    if not alive:
        assert folder.state() == state
        return
    with folder.lock():
        assert folder.state() == state


def test_runs_are_listed_newest_first_and_found(tmp_path: Path) -> None:
    """By name, by path; folders that are no runs are left alone."""
    (tmp_path / "no run").mkdir()
    first, second = (runs.create(tmp_path, "iris", name, RECORD) for name in ("a", "b"))
    os.utime(first.path, (1, 1))
    assert [folder.name for folder in runs.list_runs(tmp_path)] == ["b", "a"]
    assert runs.find(tmp_path, "b").path == second.path
    assert runs.find(Path("elsewhere"), str(first.path)).name == "a"
    with pytest.raises(RunError, match=r"no run 'c'.*newest: b, a"):
        runs.find(tmp_path, "c")
    with pytest.raises(RunError, match="is no run folder"):
        runs.find(tmp_path, "no run")
    assert runs.list_runs(tmp_path / "nowhere") == []


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure leaves the old content and no temporary file."""
    path = tmp_path / "file"
    runs.write_whole(path, b"old")
    monkeypatch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        runs.write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
