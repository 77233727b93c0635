"""Run folders."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from stoker.engine.errors import RunError, RunLocked
from stoker.engine.runs import folder as runs
from stoker.engine.runs.events import Paused, Resumed, RunFinished, RunStarted, Steps, encode
from stoker.engine.runs.folder import RunFolder

RECORD = {"parameters": {"hidden": "3"}, "given": {"lr": "0.1"}}


def test_only_the_owner_can_read_a_run(run_folder: RunFolder) -> None:
    """Folders have mode 0700 and files 0600."""
    with run_folder.lock():
        modes = {path.name: path.stat().st_mode & 0o777 for path in (run_folder.path, *run_folder.path.iterdir())}
    assert modes == {"one": 0o700, "checkpoints": 0o700, "run.json": 0o600, "lock": 0o600}


def test_the_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    """With its task, parameters and settings, and the time."""
    folder = runs.create(tmp_path, "iris", "a", RECORD)
    record = folder.record()
    assert (record.run, record.task, record.parameters, record.given) == ("a", "iris", {"hidden": "3"}, {"lr": "0.1"})
    assert abs(record.started - time.time()) < 60


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    """The message says how to resume the run."""
    runs.create(tmp_path, "iris", "a", RECORD)
    with pytest.raises(RunError, match="stoker resume a"):
        runs.create(tmp_path, "iris", "a", RECORD)


def test_default_names_never_collide(tmp_path: Path) -> None:
    """Runs started within a second get different folders."""
    names = {runs.create(tmp_path, "iris", None, RECORD).name for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("iris-") for name in names)


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "x" * 101, "训" * 90, "a\nb", "-x", " ", "\u3000", ""])
def test_an_invalid_name_is_refused(tmp_path: Path, name: str) -> None:
    """An empty name gives the default name; all others are errors."""
    if not name:
        assert runs.create(tmp_path, "iris", name, RECORD).name
        return
    with pytest.raises(RunError, match=r"Invalid run name .*: it must not be blank, contain a slash or start with"):
        runs.create(tmp_path, "iris", name, RECORD)


@pytest.mark.parametrize("task", ["/place/{}.py", "/place/file.py:{}", "module:{}"])
def test_every_task_gives_a_valid_default_name(tmp_path: Path, task: str) -> None:
    """It does not begin with a dot or dash, and is not too long."""
    for stem, begins in (("-x", "x-"), (".hidden", "hidden-"), ("y" * 200, "y" * 50 + "-"), ("- ", "run-")):
        name = runs.create(tmp_path, task.format(stem), None, RECORD).name
        assert name.startswith(begins) and len(name) <= 100


def test_runs_of_own_tasks_are_named_by_their_function(tmp_path: Path) -> None:
    """A file may hold several tasks, and their runs must be told apart."""
    for task in ("/place/t.py:spirals", "package.module:spirals", "/place.d/t.py:spirals"):
        assert runs.create(tmp_path, task, None, RECORD).name.startswith("spirals-")


def test_long_names_and_any_script_are_valid(tmp_path: Path) -> None:
    """100 characters, and any script."""
    for name in ("x" * 100, "лента 训练"):
        assert runs.find_run(tmp_path, runs.create(tmp_path, "iris", name, RECORD).name).record().run == name


def test_the_lock_error_names_the_holder(run_folder: RunFolder) -> None:
    """The lock is free again when the first engine has ended."""
    other = RunFolder(run_folder.path)
    assert not other.locked()
    with run_folder.lock():
        assert other.locked()
        with pytest.raises(RunLocked, match=str(os.getpid())), other.lock():
            pass
    assert not other.locked()
    with other.lock():
        pass


def test_a_forked_worker_does_not_keep_the_lock(run_folder: RunFolder) -> None:
    """A DataLoader worker outlives a killed engine by seconds."""
    (reader, writer), (began, begins) = os.pipe(), os.pipe()
    with run_folder.lock():
        child = os.fork()
        if not child:
            os.write(begins, b"x")
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
    os.read(began, 1)
    try:
        assert not run_folder.locked()
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
def test_the_state_follows_from_the_last_events_and_the_lock(
    run_folder: RunFolder, events: list, alive: bool, state: str
) -> None:
    """A run whose process died without a `run_finished` event is lost."""
    run_folder.events.write_bytes(b"".join(map(encode, events)))
    if not alive:
        assert run_folder.state() == state
        return
    with run_folder.lock():
        assert run_folder.state() == state


def test_runs_are_listed_newest_first_and_found(tmp_path: Path) -> None:
    """By name or by path; other folders are ignored."""
    (tmp_path / "no run").mkdir()
    first, second = (runs.create(tmp_path, "iris", name, RECORD) for name in ("a", "b"))
    os.utime(first.path, (1, 1))
    assert [folder.name for folder in runs.list_runs(tmp_path)] == ["b", "a"]
    assert runs.find_run(tmp_path, "b").path == second.path
    assert runs.find_run(Path("elsewhere"), str(first.path)).name == "a"
    with pytest.raises(RunError, match=r"no run 'c'.*newest: b, a"):
        runs.find_run(tmp_path, "c")
    with pytest.raises(RunError, match="is not a run folder"):
        runs.find_run(tmp_path, "no run")
    assert runs.list_runs(tmp_path / "nowhere") == []


def test_path_is_absolute_because_a_task_may_change_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders that are made, found and listed keep their place; the errors name the path that was given."""
    monkeypatch.chdir(tmp_path)
    made = runs.create(Path("runs"), "iris", "one", {})
    found, (listed,) = runs.find_run(Path("runs"), "one"), runs.list_runs(Path("runs"))
    monkeypatch.chdir("/")
    assert made.path == found.path == listed.path == tmp_path / "runs" / "one"
    assert made.name == "one" and found.record().run == "one"
    with pytest.raises(RunError, match="no run 'two' in runs "):
        runs.find_run(Path("runs"), "two")


def test_a_linked_run_is_deleted_with_its_link(tmp_path: Path) -> None:
    """Runs on a large disk are often linked; the name is free afterwards."""
    disk, here = tmp_path / "disk", tmp_path / "runs"
    real = runs.create(disk, "iris", "one", RECORD)
    here.mkdir()
    (here / "one").symlink_to(real.path)
    runs.delete(RunFolder(here / "one"))
    assert list(disk.iterdir()) == [] and list(here.iterdir()) == []
    assert runs.create(here, "iris", "one", RECORD).record().run == "one"


@pytest.mark.parametrize("linked", [False, True])
def test_a_run_that_cannot_be_deleted_is_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: bool
) -> None:
    """It is listed, and can be resumed."""
    folder = runs.create(tmp_path / "disk", "iris", "one", RECORD)
    if linked:
        (tmp_path / "link").symlink_to(folder.path)
        folder = RunFolder(tmp_path / "link")

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(RunError, match="cannot be deleted: Operation not permitted"):
        runs.delete(folder)
    assert folder.record().run == "one" and folder.path.is_symlink() is linked


def test_an_interrupted_deletion_frees_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left is no run, and the next deletion removes it."""
    first, second = (runs.create(tmp_path, "iris", name, RECORD) for name in ("one", "two"))
    rmtree = shutil.rmtree

    def interrupted(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(RunError, match="deleted only in part"):
        runs.delete(first)
    assert [folder.name for folder in runs.list_runs(tmp_path)] == ["two"]
    runs.create(tmp_path, "iris", "one", RECORD)
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    runs.delete(second)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_name_taken_by_another_folder_is_not_said_to_be_a_run(tmp_path: Path) -> None:
    """Such a folder cannot be resumed."""
    (tmp_path / "one").mkdir()
    with pytest.raises(RunError, match="is not a run folder: choose another --name"):
        runs.create(tmp_path, "iris", "one", RECORD)
