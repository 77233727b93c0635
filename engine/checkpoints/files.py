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
import zipfile
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

import torch

from ..errors import CheckpointError
from ..runs.folder import sync_folder
from .checksums import LATEST, PREVIOUS, lines, record, settle, sums

FORMAT = 1
BEST = "best.pt"
CHUNK = 4 << 20  # bytes read at a time
MAGIC = (b"PK", b"\x80")  # how a zip file and a pickle begin
NEEDED = ("format", "model", "optimizer", "progress")


def write(folder: Path, names: Sequence[str], state: dict[str, Any]) -> int:
    """Write one checkpoint under every name, atomically, and return its size in bytes. Raises OSError.

    The former `latest.pt` stays as `previous.pt`, for the day that the newest one is damaged.
    """
    temporary = folder / f".{names[0]}.{os.getpid()}.tmp"
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:  # noqa: PTH123
            digest = _save(state, file)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        _read_back(temporary)
        after = record(folder, names, digest)
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
    # What was there before is known for nothing now; without this it would only take longer to read.
    with contextlib.suppress(OSError):
        settle(folder, after)
    return size


def read(path: Path, map_location: str = "cpu") -> dict[str, Any]:
    """Load a checkpoint after checking its sum. Raises CheckpointError, which names the file and what is wrong."""
    state = _read(path, map_location, None)
    assert state is not None
    return state


def _read(path: Path, map_location: str, wanted: str | None) -> dict[str, Any] | None:
    """Load a checkpoint, or return None where it is whole but not the one whose sum is `wanted`."""
    before = sums(path.parent).get(path.name, [])
    try:
        with path.open("rb") as file:
            digest = _sha256(file)
            # Both: an engine may put another file there meanwhile, of which the sum is new, or of which ours is gone.
            known = [*before, *sums(path.parent).get(path.name, [])]
            if known and digest not in known:
                raise CheckpointError(
                    f"{path} is torn or altered: its sha256 is not the one recorded when it was saved"
                )
            if wanted is not None and digest != wanted:
                return None
            file.seek(0)
            if not (start := file.peek(2)[:2]).startswith(MAGIC):
                raise CheckpointError(f"{path} is no checkpoint file")
            if start == MAGIC[0] and not zipfile.is_zipfile(file):
                raise CheckpointError(f"{path} is no whole checkpoint: its end is missing")
            file.seek(0)
            state = torch.load(file, map_location=map_location, weights_only=True)
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} is refused: it is damaged, or holds code and not only tensors and plain data"
        ) from error
    except Exception as error:  # a damaged pickle can raise anything
        raise CheckpointError(f"{path} is no whole checkpoint: {str(error).partition(chr(10))[0]}") from error
    if not isinstance(state, dict) or not isinstance(state.get("format"), int):
        raise CheckpointError(f"{path} is no stoker checkpoint: it has no format")
    if state["format"] > FORMAT:
        raise CheckpointError(f"{path} has format {state['format']}; this version reads up to {FORMAT}: update stoker")
    if missing := [name for name in NEEDED if name not in state]:
        raise CheckpointError(f"{path} is no stoker checkpoint: it has no {', '.join(missing)}")
    return state


def newest(folder: Path) -> tuple[Path, dict[str, Any], list[str]] | None:
    """Return the newest good checkpoint, its state, and what was wrong with newer ones; None if there is no file.

    Raises CheckpointError if there are files and none is good.
    """
    trouble: dict[Path, str] = {}
    for path, digest in _written(folder):
        if path in trouble:
            continue
        try:
            state = _read(path, "cpu", digest)
        except CheckpointError as error:
            trouble[path] = str(error)
            continue
        # None where an engine was killed after it recorded a sum and before the file had its name.
        if state is not None:
            return path, state, list(trouble.values())
    if trouble:
        raise CheckpointError("no good checkpoint: " + "; ".join(trouble.values()))
    return None


def candidates(folder: Path) -> list[Path]:
    """Return the checkpoint files, the last written first; files that were put there by other hands come last."""
    return list(dict.fromkeys(path for path, _ in _written(folder)))


def _written(folder: Path) -> list[tuple[Path, str | None]]:
    """Return each file with each sum recorded for it, the last recorded first; None where none was."""
    try:
        files = {path.name: path for path in folder.iterdir() if path.suffix == ".pt" and path.name[0] != "."}
    except OSError:
        return []
    recorded = [(files[name], digest) for digest, name in reversed(lines(folder)) if name in files]
    others = sorted(set(files.values()) - {path for path, _ in recorded}, key=_age)
    return [*recorded, *((path, None) for path in others)]


def _age(path: Path) -> int:
    return -path.stat().st_mtime_ns


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


class _Hashed:
    """Sums up what is written; torch's zip writer hides why a write failed, so the error is kept."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest, self.error = file, hashlib.sha256(), OSError("the checkpoint could not be written")

    def write(self, data: Any) -> int:
        try:
            self.file.write(data)
        except OSError as error:
            self.error = error
            raise
        self.digest.update(data)
        return len(data)

    def flush(self) -> None:
        self.file.flush()


def _save(state: dict[str, Any], file: BinaryIO) -> str:
    hashed = _Hashed(file)
    try:
        torch.save(state, hashed)  # type: ignore[arg-type]
    except RuntimeError as error:
        raise hashed.error from error
    return hashed.digest.hexdigest()


def _read_back(path: Path) -> None:
    """Raise OSError where the file holds what `read` refuses; its tensors stay on the disk meanwhile."""
    try:
        torch.load(str(path), map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        what = str(error).replace("\n", " ")
        raise OSError(
            f"the state holds more than tensors and plain data, it could not be read again: {what}"
        ) from error


def _sha256(file: BufferedReader) -> str:
    digest = hashlib.sha256()
    room = memoryview(bytearray(CHUNK))
    while count := file.readinto(room):
        digest.update(room[:count])
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
