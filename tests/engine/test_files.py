"""Atomic writing: the target has its old content or the new one, never half of it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from stoker.engine.files import atomic_file, atomic_link, atomic_write, remove_temporary_files


def test_the_target_appears_when_it_is_complete(tmp_path: Path) -> None:
    """Its folders are created, and it has the mode of any new file."""
    target = tmp_path / "new" / "folder" / "a.csv"
    former = os.umask(0o027)
    try:
        with atomic_file(target) as file:
            file.write(b"one")
            assert not target.exists()
    finally:
        os.umask(former)
    assert target.read_bytes() == b"one" and list(target.parent.iterdir()) == [target]
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_failure_keeps_the_old_content(tmp_path: Path) -> None:
    """After a KeyboardInterrupt too, and no temporary file is left."""
    target = tmp_path / "a.csv"
    target.write_bytes(b"good")
    with pytest.raises(KeyboardInterrupt), atomic_file(target) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert target.read_bytes() == b"good" and list(tmp_path.iterdir()) == [target]


def test_the_error_is_that_of_the_failed_write(tmp_path: Path) -> None:
    """A writer that replaces it by its own error, as torch does, does not hide the system's reason."""
    with pytest.raises(OSError, match="No space left"), atomic_file(tmp_path / "a.pt") as file:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, file.fileno())
        os.close(full)
        try:
            file.write(bytes(1 << 20))
        except OSError as error:
            raise RuntimeError("the writer failed") from error
    assert not list(tmp_path.iterdir())


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    """The link stays, and its target gets the new content."""
    (tmp_path / "link.csv").symlink_to("real.csv")
    with atomic_file(tmp_path / "link.csv") as file:
        file.write(b"new")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "real.csv").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("name", "reason"), [("folder", "Is a directory"), ("file/a.csv", "Not a directory"), ("x" * 300, "too long")]
)
def test_an_invalid_target_is_refused_before_the_work(tmp_path: Path, name: str, reason: str) -> None:
    """With the system's reason; nothing is written."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=reason), atomic_file(tmp_path / name):
        pytest.fail("the block ran")
    assert len(list(tmp_path.iterdir())) == 2


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    """The temporary name is shorter than the target's."""
    with atomic_file(tmp_path / ("x" * 251 + ".csv")) as file:
        file.write(b"one")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_failed_atomic_write_keeps_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No temporary file is left."""
    path = tmp_path / "file"
    atomic_write(path, b"old")
    monkeypatch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_private_file_replaces_a_link(tmp_path: Path) -> None:
    """It has mode 0600, and the file that the link pointed to keeps its content."""
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / "run.json").symlink_to("other")
    atomic_write(tmp_path / "run.json", b"mine")
    assert not (tmp_path / "run.json").is_symlink()
    assert stat.S_IMODE((tmp_path / "run.json").stat().st_mode) == 0o600
    assert (tmp_path / "other").read_bytes() == b"other"


@pytest.mark.parametrize("links", [True, False])
def test_a_second_name_for_a_file(links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a hard link, or by a copy on a file system without links; it replaces an older file."""
    (tmp_path / "latest.pt").write_bytes(b"new")
    (tmp_path / "previous.pt").write_bytes(b"old")
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "no links")))
    atomic_link(tmp_path / "latest.pt", tmp_path / "previous.pt")
    assert (tmp_path / "previous.pt").read_bytes() == b"new"
    assert (tmp_path / "previous.pt").samefile(tmp_path / "latest.pt") is links
    assert len(list(tmp_path.iterdir())) == 2


def test_the_content_is_durable_before_the_rename(tmp_path: Path) -> None:
    """`before_rename` finds it under the temporary name; its error keeps the old content."""
    target = tmp_path / "latest.pt"
    target.write_bytes(b"old")

    def refuse(temporary: Path) -> None:
        assert (temporary.read_bytes(), target.read_bytes()) == (b"new", b"old")
        raise OSError("refused")

    with pytest.raises(OSError, match="refused"), atomic_file(target, private=True, before_rename=refuse) as file:
        file.write(b"new")
    assert target.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_temporary_files_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    """And no other file."""
    for name in (".latest.pt.0123.tmp", "latest.pt", ".hidden"):
        (tmp_path / name).touch()
    remove_temporary_files(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "latest.pt"]


def test_link_to_the_same_file_leaves_no_temporary_name(tmp_path: Path) -> None:
    """`latest.pt` and `previous.pt` may be one file: a rename between its two names does nothing."""
    (tmp_path / "latest.pt").write_bytes(b"state")
    (tmp_path / "previous.pt").hardlink_to(tmp_path / "latest.pt")
    atomic_link(tmp_path / "latest.pt", tmp_path / "previous.pt")
    assert {path.name for path in tmp_path.iterdir()} == {"latest.pt", "previous.pt"}


WRITER = """
import sys, time
from pathlib import Path
from stoker.engine.files import atomic_file
with atomic_file(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    time.sleep(600)
"""


def test_what_a_killed_export_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    """The file of an export that still writes, and a stranger's, stay."""
    target = tmp_path / "weights.pt"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(target)], stdout=subprocess.PIPE) for _ in range(2)]
    for writer in writers:
        assert writer.stdout is not None and writer.stdout.readline() == b"writing\n"
    writers[0].kill()
    writers[0].wait()
    strangers = [tmp_path / ".weights.pt.tmp", tmp_path / ".other.pt.0123456789ab.tmp"]
    for path in strangers:
        path.write_text("")
    try:
        with atomic_file(target) as file:
            file.write(b"whole")
        left = set(tmp_path.iterdir()) - {target, *strangers}
        assert len(left) == 1 and target.read_bytes() == b"whole"
    finally:
        writers[1].kill()
        writers[1].wait()
