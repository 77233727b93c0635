"""Checkpoint files: written atomically, recognised when damaged, and never allowed to run code."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from stoker.engine import files
from stoker.engine.checkpoints import checksums
from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.errors import CheckpointError


def saved(step: int, **more: Any) -> dict[str, Any]:
    """Return a state that a checkpoint could hold."""
    model = {"weight": torch.full((50, 50), float(step))}
    stopping = {"monitor": "loss", "best": 1.0, "best_step": 0, "waited": 0}
    needed = {"settings": {}, "early_stopping": stopping}
    return {"format": 1, "model": model, "optimizer": {}, "progress": {"step": step}, **needed, **more}


def write(folder: Path, *steps: int, names: tuple[str, ...] = ("latest.pt",)) -> None:
    """Save a checkpoint of each step, one after the other."""
    for step in steps:
        checkpoint.write(folder, names, saved(step))


def newest(folder: Path) -> tuple[str, int, list[str]]:
    """Return name and step of the newest good checkpoint, and what is wrong with newer ones."""
    found = checkpoint.newest(folder)
    assert found is not None
    return found[0].name, found[1]["progress"]["step"], found[2]


def flip_bit(path: Path) -> None:
    """Change one bit in the middle of a tensor; torch.load does not detect it."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_short(path: Path) -> None:
    """Remove the end, as a full disk does."""
    os.truncate(path, path.stat().st_size - 100)


@pytest.mark.parametrize("damage", [flip_bit, cut_short, lambda path: path.write_bytes(b"")])
def test_a_damaged_newest_file_is_named_and_the_previous_one_used(damage: Any, tmp_path: Path) -> None:
    """One wrong bit is enough."""
    write(tmp_path, 1, 2)
    damage(tmp_path / "latest.pt")
    name, step, trouble = newest(tmp_path)
    assert (name, step) == ("previous.pt", 1)
    assert len(trouble) == 1 and "latest.pt is damaged" in trouble[0]


def test_only_the_checksum_detects_a_flipped_bit(tmp_path: Path) -> None:
    """torch.load alone accepts the file."""
    write(tmp_path, 1)
    flip_bit(tmp_path / "latest.pt")
    torch.load(tmp_path / "latest.pt", weights_only=True)
    with pytest.raises(CheckpointError, match=r"no good checkpoint.*latest.pt is damaged"):
        checkpoint.newest(tmp_path)


def test_a_kill_at_any_moment_leaves_a_good_newest_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each step of a save, before or after it, every file is complete and its checksum is recorded."""
    moments = [
        (os, "fsync"),
        (checkpoint, "record_pending"),
        (checkpoint, "atomic_link"),
        (Path, "replace"),
        (files, "sync_folder"),
        (checkpoint, "commit"),
    ]
    for number, (where, name) in enumerate(moments):
        folder = tmp_path / name
        folder.mkdir()
        write(folder, 10 * number + 1, 10 * number + 2)
        for count in range(4):
            pid = os.fork()
            if not pid:
                _die_after(where, name, count)
                write(folder, 10 * number + 3)
                os._exit(0)
            os.waitpid(pid, 0)
            assert newest(folder)[1:] in ((10 * number + 2, []), (10 * number + 3, []))
            files.remove_temporary_files(folder)


def _die_after(where: Any, name: str, count: int) -> None:
    real, calls = getattr(where, name), iter(range(100))

    def last(*given: Any, **named: Any) -> Any:
        if next(calls) == count // 2:
            if count % 2:
                real(*given, **named)
            os._exit(1)
        return real(*given, **named)

    setattr(where, name, last)


@pytest.mark.parametrize("kills", [1, 20])
def test_a_best_that_was_never_renamed_is_not_the_newest(tmp_path: Path, kills: int) -> None:
    """Its checksum is recorded last, but the file under its name is an older one."""
    write(tmp_path, 1, names=("best.pt",))
    write(tmp_path, 2)
    for step in range(kills):
        checksums.record_pending(tmp_path, ("best.pt",), f"{step:064}")
    assert newest(tmp_path) == ("latest.pt", 2, [])
    (tmp_path / "latest.pt").unlink()
    assert newest(tmp_path) == ("best.pt", 1, [])


@pytest.mark.parametrize(("name", "step"), [("open_regular", 2), ("_sha256", 1)])
def test_a_file_is_read_while_another_process_replaces_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, step: int
) -> None:
    """Just before it is opened, or just after: the opened file is complete."""
    write(tmp_path, 1)
    real = getattr(checkpoint, name)

    def late(file: Any, *given: Any, **named: Any) -> Any:
        monkeypatch.undo()
        write(tmp_path, 2)
        return real(file, *given)

    monkeypatch.setattr(checkpoint, name, late)
    assert checkpoint.read(tmp_path / "latest.pt")["progress"]["step"] == step


def test_the_order_of_writing_outlives_a_copy(tmp_path: Path) -> None:
    """The newest is the last one written, whatever the modification times."""
    (tmp_path / "a").mkdir()
    write(tmp_path / "a", 1)
    write(tmp_path / "a", 2, names=("best.pt",))
    write(tmp_path / "a", 3, 4, names=("latest.pt", "step-000000003.pt"))
    shutil.copytree(tmp_path / "a", tmp_path / "b", copy_function=shutil.copyfile)
    for number, name in enumerate(["latest.pt", "step-000000003.pt", "previous.pt", "best.pt"]):
        os.utime(tmp_path / "b" / name, (number, number))
    assert [path.name for path in checkpoint.candidates(tmp_path / "b")] == [
        "latest.pt",
        "step-000000003.pt",
        "previous.pt",
        "best.pt",
    ]
    assert newest(tmp_path / "b") == ("latest.pt", 4, [])


def test_sha256sum_accepts_the_checksums(tmp_path: Path) -> None:
    """Each file has exactly one line."""
    write(tmp_path, 1, 2, 3, names=("latest.pt", "step-000000001.pt"))
    write(tmp_path, 4, 5, names=("best.pt",))
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert sorted(printed.splitlines()) == sorted(f"{path.name}: OK" for path in tmp_path.glob("*.pt"))


def test_a_pickle_with_code_is_refused(tmp_path: Path) -> None:
    """No code in a checkpoint is ever run."""

    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "ran",))

    torch.save({**saved(1), "extra": Trap()}, tmp_path / "latest.pt")
    with pytest.raises(CheckpointError, match=r"latest.pt is refused"):
        checkpoint.read(tmp_path / "latest.pt")
    (tmp_path / "latest.pt").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(CheckpointError, match=r"latest.pt is refused"):
        checkpoint.read(tmp_path / "latest.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({**saved(1), "format": 2}, "has format 2; this version reads up to 1: update"),
        ({"model": {}}, "it has no format"),
        ({"format": 1, "model": {}}, "it has no optimizer, progress"),
        ([1, 2], "it has no format"),
    ],
)
def test_another_format_is_named(content: Any, message: str, tmp_path: Path) -> None:
    """The file of a newer version, or of another program, is refused with the reason."""
    torch.save(content, tmp_path / "latest.pt")
    with pytest.raises(CheckpointError, match=message):
        checkpoint.read(tmp_path / "latest.pt")


@pytest.mark.parametrize("content", [b"root:x:0:0:root:/root:/bin/sh\n", b"", b"\x89PNG\r\n" + bytes(100)])
def test_a_file_that_is_no_checkpoint_is_named(content: bytes, tmp_path: Path) -> None:
    """As for a mistyped path; an incomplete checkpoint has another message."""
    (tmp_path / "notes").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"notes is not a checkpoint file$"):
        checkpoint.read(tmp_path / "notes")
    torch.save(saved(1), tmp_path / "cut.pt")
    cut_short(tmp_path / "cut.pt")
    with pytest.raises(CheckpointError, match=r"cut.pt is incomplete"):
        checkpoint.read(tmp_path / "cut.pt")


def test_a_state_that_cannot_be_read_again_is_not_saved(tmp_path: Path) -> None:
    """The old checkpoint is kept, instead of one that a resume would refuse."""
    write(tmp_path, 1)
    with pytest.raises(OSError, match=r"could not be read again.*Path"):
        checkpoint.write(tmp_path, ["latest.pt"], saved(2, loader={"path": tmp_path}))
    assert newest(tmp_path) == ("latest.pt", 1, [])
    assert not list(tmp_path.glob(".*.tmp"))


def test_prune_keeps_the_newest_numbered_files(tmp_path: Path) -> None:
    """Of each fold."""
    for step in range(5):
        for prefix in ("fold-0-", "fold-1-"):
            write(tmp_path, step, names=(f"{prefix}step-{step:09d}.pt",))
    checkpoint.prune(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.glob("*.pt")) == [
        f"fold-{fold}-step-{step:09d}.pt" for fold in (0, 1) for step in (3, 4)
    ]


def test_pruning_keeps_the_copies_that_a_person_made(tmp_path: Path) -> None:
    """Only numbered checkpoints of stoker's own names are removed, those of each fold by themselves."""
    own = ["step-000000001.pt", "step-000000002.pt", "fold-0-step-000000001.pt", "fold-0-step-000000002.pt"]
    copies = ["mine-step-1.pt", "mine-step-2.pt", "step-1.pt", "old-step-000000001.pt", "fold-0-step-000000001.pt.pt"]
    for name in (*own, *copies):
        (tmp_path / name).touch()
    checkpoint.prune(tmp_path, 1)
    assert {path.name for path in tmp_path.iterdir()} == {*copies, own[1], own[3]}
