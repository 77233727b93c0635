"""Find a checkpoint by `latest`, `best` or a path, and load the one that a run continues from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import CheckpointError
from ..runs.folder import RunFolder
from . import files
from .compatibility import check_owner


def find_checkpoint(folder: RunFolder, wanted: str | None) -> Path:
    """Return the file of `latest`, `best` or a path; None means best, or latest where there is no best.

    Raises CheckpointError, which names the checkpoints of the run.
    """
    if wanted is None:
        wanted = "best" if (folder.checkpoints / files.BEST).exists() else "latest"
    for path in (folder.checkpoints / f"{wanted}.pt", folder.checkpoints / wanted, Path(wanted)):
        if path.is_file():
            return path
    have = ", ".join(path.name for path in files.candidates(folder.checkpoints)) or "none"
    raise CheckpointError(f"run {folder.name} has no checkpoint {wanted!r}; it has {have}")


def load_checkpoint(folder: RunFolder, wanted: str | None, run: str) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the checkpoint that the run called `run` continues from, and the errors of newer, damaged ones.

    It is None before the first save. Raises CheckpointError where the one `wanted` cannot be read, or is another run's.
    """
    if wanted in (None, "latest"):
        found = files.newest(folder.checkpoints)
        return (found[1], found[2]) if found else (None, [])
    path = find_checkpoint(folder, wanted)
    saved = files.read(path)
    check_owner(saved, path, run)
    return saved, []
