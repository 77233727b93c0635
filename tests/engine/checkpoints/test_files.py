"""Checkpoint files: whole or not at all, recognised when damaged, and never trusted to run code."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from stoker.engine.checkpoints import checksums as sums
from stoker.engine.checkpoints import files as checkpoint
from stoker.engine.errors import CheckpointError


def saved(step: int, **more: Any) -> dict[str, Any]:
    """Return a state that a checkpoint could hold."""
    model = {"weight": torch.full((50, 50), float(step))}
    return {"format": 1, "model": model, "optimizer": {}, "progress": {"step": step}, **more}


def write(folder: Path, *steps: int, names: tuple[str, ...] = ("latest.pt",)) -> None:
    """Save these steps one after the other."""
    for step in steps:
        checkpoint.write(folder, names, saved(step))


def newest(folder: Path) -> tuple[str, int, list[str]]:
    """Return name and step of the newest good checkpoint, and what was said of the others."""
    found = checkpoint.newest(folder)
    assert found is not None
    return found[0].name, found[1]["progress"]["step"], found[2]


def flip_bit(path: Path) -> None:
    """Change one bit in the middle of a tensor: torch.load does not notice."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_short(path: Path) -> None:
    """Leave out the end, as a full disk does."""
    os.truncate(path, path.stat().st_size - 100)


@pytest.mark.parametrize("damage", [flip_bit, cut_short, lambda path: path.write_bytes(b"")])
def test_a_damaged_newest_is_named_and_the_one_before_used(damage: Any, tmp_path: Path) -> None:
    """One bit is enough."""
    write(tmp_path, 1, 2)
    damage(tmp_path / "latest.pt")
    name, step, trouble = newest(tmp_path)
    assert (name, step) == ("previous.pt", 1)
    assert len(trouble) == 1 and "latest.pt is torn or altered" in trouble[0]


def test_a_flipped_bit_would_load_without_the_sum(tmp_path: Path) -> None:
    """The sum is what finds it, nothing else does."""
    write(tmp_path, 1)
    flip_bit(tmp_path / "latest.pt")
    torch.load(tmp_path / "latest.pt", weights_only=True)
    with pytest.raises(CheckpointError, match=r"no good checkpoint.*latest.pt is torn"):
        checkpoint.newest(tmp_path)


def test_every_moment_of_a_kill_leaves_a_good_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever of a save has happened when the engine dies, the file there is whole and its sum known."""
    moments = [
        (os, "fsync"),
        (checkpoint, "record"),
        (checkpoint, "_link"),
        (Path, "replace"),
        (checkpoint, "sync_folder"),
        (checkpoint, "settle"),
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
            checkpoint.tidy(folder)


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
def test_a_best_whose_writing_was_killed_is_not_taken_for_the_newest(tmp_path: Path, kills: int) -> None:
    """Its sum is recorded last, but the file that has its name is an older one."""
    write(tmp_path, 1, names=("best.pt",))
    write(tmp_path, 2)
    for step in range(kills):
        sums.record(tmp_path, ("best.pt",), f"{step:064}")
    assert newest(tmp_path) == ("latest.pt", 2, [])
    (tmp_path / "latest.pt").unlink()
    assert newest(tmp_path) == ("best.pt", 1, [])


@pytest.mark.parametrize(("name", "step"), [("open", 2), ("_sha256", 1)])
def test_one_is_read_while_it_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, step: int
) -> None:
    """Another process saves just before the file is opened, or just after: what was opened is whole."""
    write(tmp_path, 1)
    where = Path if name == "open" else checkpoint
    real = getattr(where, name)

    def late(file: Any, *given: Any, **named: Any) -> Any:
        if name == "open" and file.suffix != ".pt":
            return real(file, *given, **named)
        monkeypatch.undo()
        write(tmp_path, 2)
        return real(file, *given)

    monkeypatch.setattr(where, name, late)
    assert checkpoint.read(tmp_path / "latest.pt")["progress"]["step"] == step


def test_the_order_of_writing_outlives_a_copy(tmp_path: Path) -> None:
    """The newest is the last one written, whatever the times of the files say."""
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


def test_the_sums_are_those_of_sha256sum(tmp_path: Path) -> None:
    """Other tools can check the files: each is there with its one sum."""
    write(tmp_path, 1, 2, 3, names=("latest.pt", "step-000000001.pt"))
    write(tmp_path, 4, 5, names=("best.pt",))
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert sorted(told.splitlines()) == sorted(f"{path.name}: OK" for path in tmp_path.glob("*.pt"))


def test_a_pickle_with_code_is_refused(tmp_path: Path) -> None:
    """Nothing in a checkpoint is ever run."""

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
    """A newer version's file, or no checkpoint at all, is refused with what is wrong."""
    torch.save(content, tmp_path / "latest.pt")
    with pytest.raises(CheckpointError, match=message):
        checkpoint.read(tmp_path / "latest.pt")


@pytest.mark.parametrize("content", [b"root:x:0:0:root:/root:/bin/sh\n", b"", b"\x89PNG\r\n" + bytes(100)])
def test_what_never_was_a_checkpoint_is_called_so(content: bytes, tmp_path: Path) -> None:
    """A path that was mistyped; a checkpoint that was cut short is still said to be damaged."""
    (tmp_path / "notes").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"notes is no checkpoint file$"):
        checkpoint.read(tmp_path / "notes")
    torch.save(saved(1), tmp_path / "cut.pt")
    cut_short(tmp_path / "cut.pt")
    with pytest.raises(CheckpointError, match=r"cut.pt is no whole checkpoint"):
        checkpoint.read(tmp_path / "cut.pt")


def test_a_state_that_could_not_be_read_again_is_not_saved(tmp_path: Path) -> None:
    """The former checkpoint stays, instead of one that a resume would refuse."""
    write(tmp_path, 1)
    with pytest.raises(OSError, match=r"could not be read again.*Path"):
        checkpoint.write(tmp_path, ["latest.pt"], saved(2, loader={"path": tmp_path}))
    assert newest(tmp_path) == ("latest.pt", 1, [])
    assert not list(tmp_path.glob(".*.tmp"))


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    """The newest numbered ones of each fold stay."""
    for step in range(5):
        for prefix in ("fold-0-", "fold-1-"):
            write(tmp_path, step, names=(f"{prefix}step-{step:09d}.pt",))
    checkpoint.prune(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.glob("*.pt")) == [
        f"fold-{fold}-step-{step:09d}.pt" for fold in (0, 1) for step in (3, 4)
    ]
