"""Deletes a run, never one that is trained."""

from __future__ import annotations

import shutil

from ..errors import RunError
from .folder import RunFolder


def delete(folder: RunFolder) -> None:
    """Remove the folder and all that is in it. Raises RunError, RunLocked where an engine trains the run."""
    with folder.lock():
        try:
            # First what makes it a run: what is left of an interrupted removal is not listed.
            (folder.path / "run.json").unlink()
            shutil.rmtree(folder.path)
        except OSError as error:
            raise RunError(f"run {folder.name} cannot be deleted: {error.strerror or error}") from error
