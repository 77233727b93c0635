"""Checkpoint files: write them atomically, recognise a damaged one, find the newest good one.

A file is written under a temporary name and fsynced. Then its sha256 is recorded in `SHA256SUMS`, and only then the file
is renamed. So after a crash every file under its final name is complete, and its checksum is recorded.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import re
import zipfile
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

import torch

from ..errors import CheckpointError
from ..files import atomic_file, atomic_link, open_regular
from .checksums import LATEST, PREVIOUS, checksums, commit, read_entries, record_pending
from .schema import FORMAT, check_tensors, complete

BEST = "best.pt"
NUMBERED = re.compile(r"(fold-[0-9]+-)?step-[0-9]{9,}\.pt")
CHUNK = 4 << 20  # bytes read at a time
MAGIC = (b"PK", b"\x80")  # first bytes of a zip file and of a pickle
NEEDED = ("format", "model", "optimizer", "progress", "settings", "early_stopping")  # keys of every checkpoint


def write(folder: Path, names: Sequence[str], state: dict[str, Any]) -> int:
    """Write one checkpoint under every name in `names`, atomically, and return its size in bytes.

    The current `latest.pt` is kept as `previous.pt`, in case the new file gets damaged. Raises OSError if the file
    cannot be written or `read` would refuse it; then every name keeps its old content.
    """
    after = b""

    def publish(temporary: Path) -> None:
        """Record the checksum and create the other names, after the content is durable and before the rename."""
        nonlocal after
        _read_back(temporary)
        after = record_pending(folder, names, digest)
        if LATEST in names and (folder / LATEST).exists():
            atomic_link(folder / LATEST, folder / PREVIOUS)
        for name in names[1:]:
            atomic_link(temporary, folder / name)

    with atomic_file(folder / names[0], private=True, before_rename=publish) as file:
        digest = _save(state, file)
        size = file.tell()
    # Drop the checksums of the replaced files. Optional: reading still works without it, only slower.
    with contextlib.suppress(OSError):
        commit(folder, after)
    return size


def read(path: Path, map_location: str = "cpu") -> dict[str, Any]:
    """Load the checkpoint at `path` after checking its sha256; no code in it is ever run.

    Tensors are moved to `map_location`. Raises CheckpointError, which names the file and what is wrong with it.
    """
    state = _read(path, map_location, None)
    assert state is not None
    return state


def _read(path: Path, map_location: str, wanted: str | None) -> dict[str, Any] | None:
    """Load a checkpoint, or return None if it is complete but its checksum is not `wanted`."""
    before = checksums(path.parent).get(path.name, [])
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            # First what is cheap to see: a sparse file of terabytes takes hours to hash.
            _check_structure(path, file, size, recorded=bool(before))
            file.seek(0)
            digest = _sha256(file)
            # Read the checksums before and after: another process may replace the file while we hash it.
            known = [*before, *checksums(path.parent).get(path.name, [])]
            if known and digest not in known:
                raise CheckpointError(f"{path} is damaged: its sha256 is not the one recorded when it was saved")
            if wanted is not None and digest != wanted:
                return None
            file.seek(0)
            state = torch.load(file, map_location=map_location, weights_only=True)
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(f"{path} is refused: it is damaged, or it holds code and not only plain data") from error
    except Exception as error:  # a damaged pickle can raise anything
        raise CheckpointError(f"{path} is damaged: {str(error).partition(chr(10))[0]}") from error
    if not isinstance(state, dict) or not isinstance(state.get("format"), int):
        raise CheckpointError(f"{path} is not a stoker checkpoint: it has no format")
    if state["format"] > FORMAT:
        raise CheckpointError(f"{path} has format {state['format']}; this version reads up to {FORMAT}: update stoker")
    if missing := [name for name in NEEDED if name not in state]:
        raise CheckpointError(f"{path} is not a stoker checkpoint: it has no {', '.join(missing)}")
    try:
        check_tensors(state, size)
        return complete(state)
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error


def _check_structure(path: Path, file: BufferedReader, size: int, *, recorded: bool) -> None:
    """Refuse a file that is not a checkpoint, or that would unpack to more than its size. Raises CheckpointError."""
    start = file.peek(2)[:2]
    problem = ""
    if not start.startswith(MAGIC):
        problem = "not a checkpoint file"
    elif start == MAGIC[0] and not zipfile.is_zipfile(file):
        problem = "incomplete: its end is missing"
    elif start == MAGIC[0]:
        with zipfile.ZipFile(file) as archive:
            # torch stores its records uncompressed, so together they are never larger than the file.
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > size:
            problem = f"refused: it would unpack from {size:,} to {unpacked:,} bytes"
    if problem:
        raise CheckpointError(f"{path} is damaged: it is {problem}" if recorded else f"{path} is {problem}")


def newest(folder: Path) -> tuple[Path, dict[str, Any], list[str]] | None:
    """Return the newest good checkpoint as (path, state, errors of newer ones); None if there is no file.

    Raises CheckpointError if there are files and none is good.
    """
    trouble: dict[Path, str] = {}
    for path, digest in _by_age(folder):
        if path in trouble:
            continue
        try:
            state = _read(path, "cpu", digest)
        except CheckpointError as error:
            trouble[path] = str(error)
            continue
        # None if an engine was killed after it recorded a checksum and before it renamed the file.
        if state is not None:
            return path, state, list(trouble.values())
    if trouble:
        raise CheckpointError("no good checkpoint: " + "; ".join(trouble.values()))
    return None


def candidates(folder: Path) -> list[Path]:
    """Return the checkpoint files, the last written first; files without a recorded checksum come last."""
    return list(dict.fromkeys(path for path, _ in _by_age(folder)))


def _by_age(folder: Path) -> list[tuple[Path, str | None]]:
    """Return (file, checksum) for each recorded checksum, the last recorded first; None for files without one."""
    try:
        files = {path.name: path for path in folder.iterdir() if path.suffix == ".pt" and path.name[0] != "."}
    except OSError:
        return []
    recorded = [(files[name], digest) for digest, name in reversed(read_entries(folder)) if name in files]
    others = sorted(set(files.values()) - {path for path, _ in recorded}, key=_age)
    return [*recorded, *((path, None) for path in others)]


def _age(path: Path) -> int:
    try:
        return -path.stat().st_mtime_ns
    except OSError:  # a link to nowhere, or to itself
        return 0


def prune(folder: Path, keep: int) -> None:
    """Remove all but the newest `keep` numbered checkpoints of each fold. Raises OSError."""
    by_fold: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*step-*.pt")):
        # Only our own names: a copy that a person made stays.
        if NUMBERED.fullmatch(path.name):
            by_fold.setdefault(path.name.partition("step-")[0], []).append(path)
    for paths in by_fold.values():
        for path in paths[: max(0, len(paths) - keep)]:
            path.unlink(missing_ok=True)


class _HashedFile:
    """A file for torch.save that computes the sha256 of the written bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def write(self, data: Any) -> int:
        self.file.write(data)
        self.digest.update(data)
        return len(data)

    def flush(self) -> None:
        self.file.flush()


def _save(state: dict[str, Any], file: BinaryIO) -> str:
    """Write `state` and return its sha256. Raises OSError."""
    hashed = _HashedFile(file)
    try:
        torch.save(state, hashed)  # type: ignore[arg-type]
    except RuntimeError as error:
        # torch's zip writer hides why a write failed; `atomic_file` raises the system's reason instead of this.
        raise OSError("the checkpoint could not be written") from error
    return hashed.digest.hexdigest()


def _read_back(path: Path) -> None:
    """Raise OSError if `read` would refuse the file. The tensors are memory-mapped and not read."""
    try:
        torch.load(str(path), map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        what = str(error).replace("\n", " ")
        raise OSError(
            f"the state holds more than tensors and plain data, so it could not be read again: {what}"
        ) from error


def _sha256(file: BufferedReader) -> str:
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(CHUNK))
    while count := file.readinto(buffer):
        digest.update(buffer[:count])
    return digest.hexdigest()
