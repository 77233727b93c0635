"""Find a checkpoint by `latest`, `best` or a path."""

from __future__ import annotations

from pathlib import Path

from ..errors import CheckpointError
from ..runs.folder import RunFolder
from . import files


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
