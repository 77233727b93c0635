"""Without space or permission training continues, the previous checkpoint is kept, and saving is retried."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stoker.engine import session
from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.checkpoints import manager
from stoker.engine.errors import RunError
from stoker.engine.launch.process import exit_code
from stoker.engine.runs import events as e
from stoker.engine.runs import journal
from stoker.engine.runs.commands import Command, Controls
from tests.support.process_runner import create, recorded_events

HIDDEN = 50_000  # units: a checkpoint of some megabytes


@pytest.fixture
def small_filesystem(tmp_path: Path) -> Iterator[Path]:
    """A file system of twenty megabytes."""
    place = tmp_path / "tiny"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system cannot be mounted on this machine")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def limited() -> Iterator[int]:
    """Limit the size of files to one megabyte."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    yield 1 << 20
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


class ConditionalActions(Controls):
    """Runs actions one after another, each as soon as its condition is true."""

    def __init__(self, *actions: tuple[Callable[[], Any], Callable[[], Any]]) -> None:
        super().__init__()
        self.actions = list(actions)

    def pending(self, now: float) -> bool:
        if self.actions and self.actions[0][0]():
            self.actions.pop(0)[1]()
        return super().pending(now)


def failures(received: list[e.Event]) -> list[str]:
    """Return the messages of failed saves."""
    return [event.message for event in received if isinstance(event, e.Warned) and event.kind == "save_failed"]


def test_run_on_a_full_disk_trains_on_and_saves_when_there_is_space(
    small_filesystem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run warns, continues, saves when there is space again, and keeps its whole history."""
    monkeypatch.setattr(manager, "RETRY_INTERVAL", 0.0)
    folder = create(small_filesystem, "held", {"hidden": HIDDEN}, save_every="1epochs", epochs=12)
    filler, kept, received = small_filesystem / "filler", [], list[e.Event]()

    def saved() -> bool:
        return (folder.checkpoints / "latest.pt").exists() and not list(folder.checkpoints.glob(".*.tmp"))

    def fill() -> None:
        kept.append(checkpoint.newest(folder.checkpoints))
        with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def make_room() -> None:
        found = checkpoint.newest(folder.checkpoints)
        assert found is not None and kept[0] is not None
        assert found[1]["progress"] == kept[0][1]["progress"] and found[2] == []
        filler.unlink()

    script = ConditionalActions((saved, fill), (lambda: len(failures(received)) > 2, make_room))
    session.train(folder, script, received.append)
    assert script.actions == []
    assert isinstance(received[-1], e.RunFinished) and (received[-1].cause, received[-1].message) == ("completed", "")
    messages = failures(received)
    assert messages and all(
        "Could not save" in message and ": No space left on device. " in message for message in messages
    )
    found = checkpoint.newest(folder.checkpoints)
    assert found is not None and found[1]["progress"]["step"] == received[-1].step
    assert [type(event) for event in recorded_events(folder)] == [type(event) for event in received], (
        "events that could not be written are written later"
    )


def test_save_over_the_file_size_limit_fails_with_the_systems_reason(limited: int, tmp_path: Path) -> None:
    """A save by hand is answered as failed with the system's reason, and the run fails."""
    folder = create(tmp_path, "held", {"hidden": HIDDEN})
    controls = Controls()
    command_id = controls.send(Command(command="save"))
    received: list[e.Event] = []
    last = session.train(folder, controls, received.append)
    assert (last.cause, last.message) == ("failed", "the final state could not be saved")
    answers = [event for event in received if isinstance(event, e.CommandAnswered)]
    assert [(answer.id, answer.status, answer.message) for answer in answers] == [
        (command_id, "failed", "File too large")
    ]
    assert list(folder.checkpoints.iterdir()) == []
    again = ["retrying in" in message for message in failures(received)]
    assert again[0] and not again[-1], "no retry after the end"


def test_stop_without_a_saved_state_is_a_failure(limited: int, tmp_path: Path) -> None:
    """A signal or a command ends the run, but nothing was saved: neither 0 nor 128 + signal may say that it was."""
    folder = create(tmp_path, "held", {"hidden": HIDDEN})
    for end in (lambda c: c.end(15), lambda c: c.send(Command(command="stop"))):
        controls = Controls()
        end(controls)
        last = session.train(folder, controls, lambda event: None)
        assert (last.cause, exit_code(last, controls)) == ("failed", 1)
        assert last.message.endswith("; the final state could not be saved")


@pytest.mark.parametrize("comes_back", [False, True])
def test_history_that_cannot_be_written_is_told_and_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], comes_back: bool
) -> None:
    """The dashboard and stderr hear of it; if the disk comes back in time, nothing is lost and the run completes."""
    folder = create(tmp_path, "held", epochs=40)
    received, failed, write = list[e.Event](), list[int](), os.write
    monkeypatch.setattr(journal, "WARNING_INTERVAL", 0.0)

    def full(file: int, data: Any) -> int:
        if bytes(data).startswith(b'{"event"') and any(isinstance(event, e.Evaluated) for event in received):
            failed.append(1)
            if not comes_back or len(failed) < 20:
                raise OSError(errno.EIO, "Input/output error")
        return write(file, data)

    monkeypatch.setattr(os, "write", full)
    finished = session.train(folder, Controls(), received.append)
    told = [event.message for event in received if isinstance(event, e.Warned) and event.kind == "history_failed"]
    assert "events.jsonl cannot be written (Input/output error)" in told[0]
    assert "events.jsonl cannot be written" in capfd.readouterr().err
    if not comes_back:
        assert len(told) == 1 and finished.cause == "failed"
        assert "its history in events.jsonl is not complete: Input/output error" in finished.message
        return
    assert told[1:] == ["events.jsonl is written again"]
    assert finished.cause == "early_stopping"
    assert [type(event) for event in recorded_events(folder)] == [type(event) for event in received]


@pytest.mark.parametrize("readonly", ["checkpoints", "."])
def test_unwritable_folder_warns_or_is_refused_before_training(readonly: str, tmp_path: Path) -> None:
    """Unwritable checkpoints cause a warning; an unwritable run folder is refused before training."""
    folder = create(tmp_path, "held")
    nobody = 65534
    for path in (folder.path, folder.checkpoints, *folder.path.glob("*.json")):
        os.chown(path, nobody, nobody) if os.getuid() == 0 else None
    (folder.path / readonly).chmod(0o500)
    for parent in tmp_path.parents:
        if parent.name.startswith(("pytest-", "popen-")):
            parent.chmod(0o755)
    tmp_path.chmod(0o755)
    pid = os.fork()
    if not pid:
        if os.getuid() == 0:
            os.setresuid(nobody, nobody, nobody)
        code = 9
        try:
            received: list[e.Event] = []
            session.train(folder, Controls(), received.append)
            code = (
                0 if any("Could not save latest.pt: Permission denied. " in text for text in failures(received)) else 8
            )
        except RunError as error:
            code = 2 if "cannot be written: Permission denied" in str(error) else 7
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    (folder.path / readonly).chmod(0o700)
    assert status == (0 if readonly == "checkpoints" else 2)
