"""Chooses by a file's name what is exported to it."""

from __future__ import annotations

from pathlib import Path

from ..engine.errors import RequestError
from ..engine.runs import RunFolder


def write(folder: RunFolder, which: str | None, target: Path) -> str:
    """Write `target` and return what it was made from. Raises RequestError for a name that says nothing."""
    try:
        return _write(folder, which, target)
    except OSError as error:
        raise RequestError(f"{target} cannot be written: {error.strerror}") from error


def _write(folder: RunFolder, which: str | None, target: Path) -> str:
    from . import exporting
    from .reading import read

    if target.suffix in (".safetensors", ".pt"):
        from ..engine.weights import export

        return export(folder, which, target).name
    curves = {".csv": exporting.to_csv, ".png": exporting.to_png, "": exporting.to_tensorboard}
    if target.suffix not in curves or (not target.suffix and "tensorboard" not in target.name):
        raise RequestError(
            f"{target}: the name says what is written: weights.safetensors, weights.pt, model.pt, metrics.csv,"
            " curves.png or tensorboard/"
        )
    curves[target.suffix](read(folder), target)
    return "events.jsonl"
