"""Checkpoint files: write them whole, recognise a torn or altered one, find the newest good one.

A file is written under a temporary name, fsynced, its sha256 recorded in `SHA256SUMS`, and only then renamed: whatever
moment the machine dies at, every file under its final name is complete and its sum is known.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from .errors import CheckpointError
from .runs import sync_folder, write_whole

FORMAT = 1
SUMS = "SHA256SUMS"
LATEST, PREVIOUS, BEST = "latest.pt", "previous.pt", "best.pt"


def snapshot(state: Any) -> Any:
    """Return a copy of `state` in the host's memory that training can no longer change, CPU tensors included."""
    return tree_map(lambda leaf: leaf.detach().to("cpu", copy=True) if isinstance(leaf, Tensor) else leaf, state)


def write(folder: Path, names: Sequence[str], state: dict[str, Any]) -> int:
    """Write one checkpoint under every name, atomically, and return its size in bytes. Raises OSError.

    The former `latest.pt` stays as `previous.pt`, for the day that the newest one is damaged.
    """
    temporary = folder / f".{names[0]}.{os.getpid()}.tmp"
    try:
        with open(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w+b") as file:  # noqa: PTH123
            _save(state, file)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            digest = _sha256(file)
            size = file.seek(0, os.SEEK_END)
        _record(folder, names, digest)
        if LATEST in names and (folder / LATEST).exists():
            _link(folder / LATEST, folder / PREVIOUS)
        for name in names[1:]:
            _link(temporary, folder / name)
        temporary.replace(folder / names[0])
        sync_folder(folder)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return size


def read(path: Path, map_location: str = "cpu") -> dict[str, Any]:
    """Load a checkpoint after checking its sum. Raises CheckpointError, which names the file and what is wrong."""
    try:
        with path.open("rb") as file:
            digest = _sha256(file)
            if digest not in sums(path.parent).get(path.name, [digest]):
                raise CheckpointError(f"{path} is torn or altered: its sha256 is not the one recorded when it was saved")
            file.seek(0)
            state = torch.load(file, map_location=map_location, weights_only=True)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} is refused: it is damaged, or holds code and not only tensors and plain data"
        ) from error
    except (RuntimeError, EOFError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path} is no whole checkpoint: {error}") from error
    if not isinstance(state, dict) or "format" not in state or "model" not in state:
        raise CheckpointError(f"{path} is no stoker checkpoint: it has no format and model")
    if state["format"] > FORMAT:
        raise CheckpointError(f"{path} has format {state['format']}; this version reads up to {FORMAT}: update stoker")
    return state


def newest(folder: Path) -> tuple[Path, dict[str, Any], list[str]] | None:
    """Return the newest good checkpoint, its state, and what was wrong with newer ones; None if there is no file.

    Raises CheckpointError if there are files and none is good.
    """
    trouble: list[str] = []
    found = candidates(folder)
    for path in found:
        try:
            return path, read(path), trouble
        except CheckpointError as error:
            trouble.append(str(error))
    if trouble:
        raise CheckpointError("no good checkpoint: " + "; ".join(trouble))
    return None


def candidates(folder: Path) -> list[Path]:
    """Return the checkpoint files, newest first; `latest.pt` before others of its age."""
    try:
        files = [path for path in folder.iterdir() if path.suffix == ".pt" and not path.name.startswith(".")]
    except OSError:
        return []
    return sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name == LATEST), reverse=True)


def tidy(folder: Path) -> None:
    """Clear temporary files that a killed engine left; the run's lock must be held."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def prune(folder: Path, keep: int) -> None:
    """Remove all but the newest `keep` numbered checkpoints of each fold."""
    by_fold: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*step-*.pt")):
        by_fold.setdefault(path.name.partition("step-")[0], []).append(path)
    for paths in by_fold.values():
        for path in paths[: max(0, len(paths) - keep)]:
            path.unlink(missing_ok=True)


def sums(folder: Path) -> dict[str, list[str]]:
    """Return the sums recorded for each file name; while a file is being replaced both the old and the new one."""
    try:
        lines = (folder / SUMS).read_text().splitlines()
    except OSError:
        return {}
    found: dict[str, list[str]] = {}
    for digest, _, name in (line.partition("  ") for line in lines):
        found.setdefault(name, []).append(digest)
    return found


def _record(folder: Path, names: Sequence[str], digest: str) -> None:
    """Record `digest` for `names` before they are renamed; their old sum stays valid until the next save."""
    known = sums(folder)
    if LATEST in names and LATEST in known:
        known[PREVIOUS] = [*known.get(PREVIOUS, [])[-1:], known[LATEST][-1]]
    lines = [
        f"{old}  {name}" for name, olds in known.items() if name not in names and (folder / name).exists() for old in olds
    ]
    if LATEST in names and PREVIOUS in known and not (folder / PREVIOUS).exists():
        lines += [f"{old}  {PREVIOUS}" for old in known[PREVIOUS]]
    for name in names:
        lines += [f"{old}  {name}" for old in [*known.get(name, [])[-1:], digest]]
    write_whole(folder / SUMS, ("\n".join(lines) + "\n").encode())


def _save(state: dict[str, Any], file: Any) -> None:
    try:
        torch.save(state, file)
    except RuntimeError as error:
        # torch's zip writer reports a full disk as a RuntimeError of its own.
        raise OSError(28, f"the checkpoint could not be written: {str(error).splitlines()[0]}") from error


def _sha256(file: Any) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


def _link(source: Path, target: Path) -> None:
    """Let `target` be `source`'s content, replacing it at once; by a hard link, or a copy where there are none."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:
        with contextlib.ExitStack() as undo:
            undo.callback(temporary.unlink, missing_ok=True)
            shutil.copyfile(source, temporary)
            temporary.chmod(0o600)
            undo.pop_all()
    temporary.replace(target)

