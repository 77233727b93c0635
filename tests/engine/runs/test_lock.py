"""The lock of a run folder: on disks without locks, and when the folder is moved away."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys

import pytest

from stoker.engine.errors import RunLocked
from stoker.engine.runs.folder import RunFolder


@pytest.fixture
def no_flock(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A file system without flock."""

    def refuse(*_: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.parametrize("no_flock", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP], indirect=True)
@pytest.mark.usefixtures("no_flock")
def test_disk_without_locks_trains_with_a_warning(run_folder: RunFolder) -> None:
    """The run is held while it trains, by the content of the lock file, and free afterwards."""
    assert not run_folder.locked()
    with run_folder.lock() as lock:
        assert lock.warning is not None and "no locks" in lock.warning
        assert run_folder.locked() and not run_folder.is_remote()
    assert not run_folder.locked()


@pytest.mark.parametrize("no_flock", [errno.ENOSYS], indirect=True)
@pytest.mark.usefixtures("no_flock")
def test_disk_without_locks_knows_a_living_engine_from_a_dead_one(run_folder: RunFolder) -> None:
    """An engine of this machine counts while its process lives; one of another machine until it empties the file."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as engine:
        file = run_folder.path / "lock"
        file.write_text(f"{os.uname().nodename} {engine.pid}\n")
        assert run_folder.locked()
        with pytest.raises(RunLocked, match=f"process {engine.pid}"), run_folder.lock():
            pass
        engine.kill()
    assert not run_folder.locked()
    # A killed engine in a container often had the process id that the next one has.
    file.write_text(f"{os.uname().nodename} {os.getpid()}\n")
    with run_folder.lock():
        pass
    file.write_text("elsewhere 1\n")
    assert run_folder.locked()


def test_lock_tells_that_the_folder_was_replaced(run_folder: RunFolder) -> None:
    """A folder that is gone is no other run's; one that has come in its place is."""
    with run_folder.lock() as lock:
        assert lock.lost() is None
        moved = run_folder.path.with_name("moved")
        run_folder.path.rename(moved)
        assert lock.lost() is None
        run_folder.path.mkdir()
        assert "another folder now" in (lock.lost() or "")
        run_folder.path.rmdir()
        moved.rename(run_folder.path)
        assert lock.lost() is None
        (run_folder.path / "lock").unlink()
        assert lock.lost() is None
        (run_folder.path / "lock").touch()
        assert "was replaced" in (lock.lost() or "")
