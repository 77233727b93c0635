"""Chooses by a file's name what is exported to it."""

from __future__ import annotations

from pathlib import Path

from ..errors import RequestError
from ..runs.folder import RunFolder


def write(folder: RunFolder, which: str | None, target: Path) -> str:
    """Write `target`, the folders above it too, and say what it was made from.

    Raises RequestError for a name that says nothing, and for a place that cannot be written: what was there stays.
    """
    try:
        return _write(folder, which, target)
    except OSError as error:
        raise RequestError(f"{target} cannot be written: {error.strerror or error}") from error


def _write(folder: RunFolder, which: str | None, target: Path) -> str:
    if target.suffix in (".safetensors", ".pt"):
        from .weights import export

        return export(folder, which, target)
    from . import figure
    from . import metrics_csv as exporting
    from . import tensorboard as event_files

    curves = {".csv": exporting.to_csv, ".png": figure.to_png, "": event_files.to_tensorboard}
    if target.suffix not in curves or (not target.suffix and "tensorboard" not in target.name):
        raise RequestError(
            f"{target}: the name says what is written: weights.safetensors, weights.pt, model.pt, metrics.csv,"
            " curves.png or tensorboard/"
        )
    curves[target.suffix](folder, target)
    return folder.events.name
