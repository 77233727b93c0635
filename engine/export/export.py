"""Write a run's curves or weights to a file for other programs."""

from __future__ import annotations

from pathlib import Path

from ..errors import RequestError
from ..runs.folder import RunFolder
from .formats import format_of


def write(folder: RunFolder, checkpoint: str | None, target: Path) -> str:
    """Write `target` in the format that its name chooses, and return a description of its source.

    `checkpoint` is `best`, `latest` or a path, for the formats that hold a model; None prefers the best one. Missing
    parent folders are made. Raises RequestError for an unknown name and for a target that cannot be written, which then
    keeps its old content.
    """
    wanted = format_of(target)
    try:
        function = wanted.load()
        if wanted.checkpoint:
            return str(function(folder, checkpoint, target))
        function(folder, target)
        return folder.events.name
    except OSError as error:
        raise RequestError(f"{target} cannot be written: {error.strerror or error}") from error
