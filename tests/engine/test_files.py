"""A file that other programs read: it is there whole, or as it was."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from stoker.engine.files import whole_file


def test_nothing_is_seen_before_it_is_whole(tmp_path: Path) -> None:
    """Then it has its name, the folders above it, and the mode of any new file."""
    target = tmp_path / "new" / "folder" / "a.csv"
    former = os.umask(0o027)
    try:
        with whole_file(target) as file:
            file.write(b"one")
            assert not target.exists()
    finally:
        os.umask(former)
    assert target.read_bytes() == b"one" and list(target.parent.iterdir()) == [target]
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    """Whatever it is."""
    target = tmp_path / "a.csv"
    target.write_bytes(b"good")
    with pytest.raises(KeyboardInterrupt), whole_file(target) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert target.read_bytes() == b"good" and list(tmp_path.iterdir()) == [target]


def test_the_reason_is_the_first_one(tmp_path: Path) -> None:
    """A writer that hides why it failed does not hide it from a person."""
    with pytest.raises(OSError, match="No space left"), whole_file(tmp_path / "a.pt") as file:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, file.fileno())
        os.close(full)
        try:
            file.write(bytes(1 << 20))
        except OSError as error:
            raise RuntimeError("the writer failed") from error
    assert not list(tmp_path.iterdir())


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it points to is replaced."""
    (tmp_path / "link.csv").symlink_to("real.csv")
    with whole_file(tmp_path / "link.csv") as file:
        file.write(b"new")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "real.csv").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("name", "reason"), [("folder", "Is a directory"), ("file/a.csv", "Not a directory"), ("x" * 300, "too long")]
)
def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, name: str, reason: str) -> None:
    """With the system's words."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=reason), whole_file(tmp_path / name):
        pytest.fail("the work was begun")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_long_name_is_no_obstacle(tmp_path: Path) -> None:
    """The temporary name is short."""
    with whole_file(tmp_path / ("x" * 251 + ".csv")) as file:
        file.write(b"one")
    assert len(list(tmp_path.iterdir())) == 1
