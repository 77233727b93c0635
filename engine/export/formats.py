"""The files that `stoker export` writes. Commands, screens and error messages read this one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import RequestError


@dataclass(frozen=True)
class Format:
    """One row: a file name, or every file with its suffix."""

    name: str
    """The usual file name, as screens and messages show it; a folder has no suffix."""
    about: str
    """A description in a few words."""
    function: str
    """`module:function`, relative to this package; imported only to write, because it may need heavy libraries."""
    checkpoint: bool = False
    """Made from a checkpoint, with `function(folder, checkpoint, target) -> str`; others are made from the events, with
    `function(folder, target)`."""
    needs: str = ""
    """The library from `stoker[export]` that the function imports."""
    exact: bool = False
    """Only this name, not every file with its suffix."""

    @property
    def shown(self) -> str:
        """The name in messages: a folder ends with a slash."""
        return self.name if Path(self.name).suffix else f"{self.name}/"

    def matches(self, target: Path) -> bool:
        """Return whether a file or folder of this name is written in this format."""
        suffix = Path(self.name).suffix
        if self.exact:
            return target.name == self.name
        return target.suffix == suffix and (bool(suffix) or self.name in target.name)

    def load(self) -> Callable[..., Any]:
        """Import the function that writes this format."""
        module, _, function = self.function.partition(":")
        return getattr(import_module(module, __package__), function)  # type: ignore[no-any-return]


FORMATS = (
    Format("metrics.csv", "every curve, one row for each step", ".metrics_csv:to_csv"),
    Format("curves.png", "a picture of the curves", ".figure:to_png", needs="matplotlib"),
    Format("weights.safetensors", "the best parameters, for any program", ".weights:export", checkpoint=True),
    Format("weights.pt", "the same, for torch.load", ".weights:export", checkpoint=True),
    Format("model.pt", "the whole module, needs the task's code", ".weights:export", checkpoint=True, exact=True),
    Format("tensorboard", "event files for TensorBoard", ".tensorboard:to_tensorboard", needs="tensorboard"),
)


def names() -> str:
    """Return the names of all formats as words: `metrics.csv, curves.png, … or tensorboard/`."""
    *most, last = (one.shown for one in FORMATS)
    return f"{', '.join(most)} or {last}"


def format_of(target: Path) -> Format:
    """Return the format that the name of `target` chooses; an exact name wins. Raises RequestError."""
    found = [one for one in FORMATS if one.matches(target)]
    if not found:
        raise RequestError(f"{target}: cannot tell the format from this name; use {names()}")
    return max(found, key=lambda one: one.exact)


def missing_library(wanted: Format) -> RequestError:
    """Return the error for a format whose library is not installed."""
    return RequestError(f"{wanted.shown} needs {wanted.needs}: pip install 'stoker[export]'")
