"""No space, or no permission: the training goes on, the former checkpoint stays whole, and saving is tried again."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stoker.engine import session
from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.checkpoints import manager as keeper
from stoker.engine.errors import RunError
from stoker.engine.runs import events as e
from stoker.engine.runs.commands import Command, Controls
from tests.support.process_runner import create, said

HIDDEN = 50_000  # units: a checkpoint of some megabytes


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of twenty megabytes of its own."""
    place = tmp_path / "tiny"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a file system here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def limited() -> Iterator[int]:
    """No file may grow beyond a megabyte."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    yield 1 << 20
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


class When(Controls):
    """Does one thing after the other, each as soon as its condition holds."""

    def __init__(self, *acts: tuple[Callable[[], Any], Callable[[], Any]]) -> None:
        super().__init__()
        self.acts = list(acts)

    def pending(self, now: float) -> bool:
        if self.acts and self.acts[0][0]():
            self.acts.pop(0)[1]()
        return super().pending(now)


def failures(heard: list[e.Event]) -> list[str]:
    """Return why saves failed."""
    return [event.message for event in heard if isinstance(event, e.Warned) and event.kind == "save_failed"]


def test_a_full_disk(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run says so, goes on, saves when there is room again, and its history is whole."""
    monkeypatch.setattr(keeper, "RETRY", 0.0)
    folder = create(tiny, "held", {"hidden": HIDDEN}, save_every="1epochs", epochs=12)
    filler, kept, heard = tiny / "filler", [], list[e.Event]()

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

    script = When((saved, fill), (lambda: len(failures(heard)) > 2, make_room))
    session.train(folder, script, heard.append)
    assert script.acts == []
    assert isinstance(heard[-1], e.RunFinished) and (heard[-1].cause, heard[-1].message) == ("completed", "")
    messages = failures(heard)
    assert messages and all("was not saved: No space left on device" in message for message in messages)
    found = checkpoint.newest(folder.checkpoints)
    assert found is not None and found[1]["progress"]["step"] == heard[-1].step
    assert [type(event) for event in said(folder)] == [type(event) for event in heard], "told later what was kept back"


def test_a_file_that_may_not_grow(limited: int, tmp_path: Path) -> None:
    """The reason is the system's own; a save by hand is answered as failed, and so is the run."""
    folder = create(tmp_path, "held", {"hidden": HIDDEN})
    controls = Controls()
    asked = controls.send(Command(command="save"))
    heard: list[e.Event] = []
    last = session.train(folder, controls, heard.append)
    assert (last.cause, last.message) == ("failed", "its last state could not be saved")
    answers = [event for event in heard if isinstance(event, e.CommandAnswered)]
    assert [(answer.id, answer.status, answer.message) for answer in answers] == [(asked, "failed", "File too large")]
    assert list(folder.checkpoints.iterdir()) == []
    again = ["tried again" in message for message in failures(heard)]
    assert again[0] and not again[-1], "nothing is tried again after the end"


@pytest.mark.parametrize("readonly", ["checkpoints", "."])
def test_a_folder_nobody_may_write_to(readonly: str, tmp_path: Path) -> None:
    """Saving fails with a warning; a run whose own folder cannot be written is refused before it trains."""
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
            heard: list[e.Event] = []
            session.train(folder, Controls(), heard.append)
            code = 0 if any("latest.pt was not saved: Permission denied" in text for text in failures(heard)) else 8
        except RunError as error:
            code = 2 if "cannot be written: Permission denied" in str(error) else 7
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    (folder.path / readonly).chmod(0o700)
    assert status == (0 if readonly == "checkpoints" else 2)
