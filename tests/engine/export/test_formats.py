"""The table of export formats: names, functions, libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stoker.engine.errors import RequestError
from stoker.engine.export.formats import FORMATS, format_of, names


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("metrics.csv", "metrics.csv"),
        ("out/other.csv", "metrics.csv"),
        ("a.png", "curves.png"),
        ("w.safetensors", "weights.safetensors"),
        ("w.pt", "weights.pt"),
        ("model.pt", "model.pt"),
        ("tensorboard", "tensorboard"),
        ("my-tensorboard-files", "tensorboard"),
    ],
)
def test_the_name_chooses_the_format(target: str, name: str) -> None:
    """The suffix decides; only `model.pt` and a folder are chosen by name."""
    assert format_of(Path(target)).name == name


@pytest.mark.parametrize("target", ["events", "curves.svg", "tensorboard.zip", "csv"])
def test_an_unknown_name_is_refused_with_all_names(target: str) -> None:
    """The error lists every format."""
    with pytest.raises(RequestError, match=rf"{target}: cannot tell the format from this name; use {names()}"):
        format_of(Path(target))


def test_every_format_has_its_function() -> None:
    """The dotted name of each row can be imported."""
    assert all(callable(one.load()) for one in FORMATS)


def test_the_table_needs_no_heavy_library() -> None:
    """The screen and the command line list formats without torch, matplotlib or tensorboard."""
    code = "import sys, stoker.engine.export.export; print({'torch', 'matplotlib', 'tensorboard'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
