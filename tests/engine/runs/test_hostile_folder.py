"""Run folders of somebody else: pipes, devices, links, folders without access, and damaged records."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stoker.engine.errors import RunError
from stoker.engine.files import open_regular, read_regular
from stoker.engine.runs import folder as runs
from stoker.engine.runs.commands import Command, append
from stoker.engine.runs.events import EarlyStopping, Evaluated, Event, RunFinished, RunStarted, Steps, decode, encode
from stoker.engine.runs.folder import RunFolder, find_run, list_runs, scan_runs
from stoker.engine.runs.journal import EventFollower

FILES = ("events.jsonl", "lock", "commands.jsonl", "run.json", "engine.log")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("make", [pipe, device, loop, Path.mkdir])
def test_no_reader_waits_for_what_is_no_file(run_folder: RunFolder, name: str, make: Callable[[Path], None]) -> None:
    """In place of each file of a run; the other runs are still listed."""
    other = runs.create(run_folder.path.parent, "iris", "other", {})
    (run_folder.path / name).unlink(missing_ok=True)
    make(run_folder.path / name)
    assert other in list_runs(run_folder.path.parent)
    assert run_folder.last_events() == []
    assert EventFollower(run_folder.events).read_events() == []
    run_folder.holder()
    run_folder.is_remote()
    assert run_folder.state() in ("new", "training")


@pytest.mark.parametrize("name", ["lock", "commands.jsonl"])
def test_a_link_to_another_file_is_never_followed(run_folder: RunFolder, tmp_path: Path, name: str) -> None:
    """Neither to lock the run nor to send it a command: the other file keeps its content."""
    mine = tmp_path / "thesis"
    mine.write_text("three years of work\n")
    (run_folder.path / name).symlink_to(mine)
    with pytest.raises((RunError, OSError), match="is a symbolic link"):
        if name == "lock":
            with run_folder.lock():
                pass
        else:
            append(run_folder.commands, Command(command="save"))
    assert mine.read_text() == "three years of work\n"


def test_folders_that_may_not_be_read_are_counted(run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of another user (mode 0700) does not hide one's own runs."""
    other = runs.create(run_folder.path.parent, "iris", "other", {})
    real = Path.stat

    def stat(path: Path, **options: bool) -> os.stat_result:
        if other.path in path.parents:
            raise PermissionError(13, "Permission denied")
        return real(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    assert scan_runs(run_folder.path.parent) == ([run_folder], 1)
    assert list_runs(run_folder.path.parent) == [run_folder]


def test_a_runs_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """It holds no runs, and "no runs" would be untrue."""
    (tmp_path / "runs").write_text("")
    with pytest.raises(RunError, match="cannot be read: Not a directory"):
        list_runs(tmp_path / "runs")
    with pytest.raises(RunError, match="cannot create runs folder"):
        runs.create(tmp_path / "runs", "iris", "one", {})


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "x/" * 3000])
def test_a_name_that_cannot_be_is_not_found(tmp_path: Path, name: str) -> None:
    """One sentence, not an error of the system."""
    with pytest.raises(RunError, match="no run"):
        find_run(tmp_path, name)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"[" * 100_000, b"", b"null", b'{"run": 3}', b'{"run":"\xe9","task":"t"}']
)
def test_a_damaged_record_is_one_error(run_folder: RunFolder, content: bytes) -> None:
    """Bytes that are no UTF-8 and deep nesting too."""
    (run_folder.path / "run.json").write_bytes(content)
    with pytest.raises(RunError, match="json cannot be read"):
        run_folder.record()


@pytest.mark.parametrize(
    "line",
    [
        b'{"event":"steps","step":9223372036854775808}',
        b'{"event":"steps","step":-1}',
        b'{"event":"steps","step":1,"first":-5,"losses":[1]}',
        b'{"event":"steps","step":1,"at":"Infinity"}',
        b'{"event":"steps","step":1,"at":"NaN"}',
        b'{"event":"run_started","steps_per_epoch":-3}',
        b'{"event":"run_started","epochs":1e300}',
    ],
)
def test_events_with_impossible_numbers_are_skipped(line: bytes) -> None:
    """Counts below 0 or above 2**53, and times that are not finite."""
    assert decode(line) is None


def write(folder: RunFolder, *events: Event) -> None:
    folder.events.write_bytes(b"".join(map(encode, events)))


def test_state_of_a_run_with_a_huge_last_message(run_folder: RunFolder) -> None:
    """The last event alone is longer than the end that is read at first."""
    write(run_folder, RunStarted(), RunFinished(cause="failed", message="x" * 400_000))
    assert run_folder.state() == "failed"


def test_the_best_value_is_found_far_back(run_folder: RunFolder) -> None:
    """After the last evaluation come more steps than the end that is read at first holds."""
    steps = [Steps(first=n, step=n + 9, losses=[0.1] * 10) for n in range(11, 60_000, 10)]
    write(run_folder, RunStarted(), Evaluated(step=10, metrics={"loss": 0.5}), EarlyStopping(step=10, best=0.5), *steps)
    assert run_folder.events.stat().st_size > 300_000
    assert not any(isinstance(event, EarlyStopping) for event in run_folder.last_events())
    found = run_folder.last_early_stopping()
    assert found is not None and found.best == 0.5


def test_reading_is_bounded_and_only_of_files(tmp_path: Path) -> None:
    """A file over the limit, and a sparse one, are refused before they are in memory."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_regular(path, 5) == b"12345"
    with pytest.raises(OSError, match="file is larger than 4 bytes"):
        read_regular(path, 4)
    link = tmp_path / "link"
    link.symlink_to(path)
    os.close(open_regular(link))
    with pytest.raises(OSError, match="link is a symbolic link"):
        open_regular(link, follow=False)
    with pytest.raises(OSError, match="is not a regular file"):
        open_regular(tmp_path)


def test_a_runs_folder_that_is_a_broken_link_is_named(tmp_path: Path) -> None:
    """Neither "no runs" nor "exists" would be true."""
    (tmp_path / "runs").symlink_to(tmp_path / "unmounted")
    message = "runs folder .*runs is a link to .*unmounted, which does not exist"
    with pytest.raises(RunError, match=message):
        list_runs(tmp_path / "runs")
    with pytest.raises(RunError, match=message):
        runs.create(tmp_path / "runs", "iris", "r", {})
