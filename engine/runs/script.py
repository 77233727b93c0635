"""The script that opens a run by itself: how to run it again, and how it finds its folder."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from .folder import RunFolder
from .record import Record, Script

FOLDER_VARIABLE = "STOKER_RUN_FOLDER"
"""The environment variable by which `stoker run FILE.py` and `stoker resume` tell a script its run folder."""


def describe(path: Path, argv: list[str]) -> Script:
    """Return the script at `path`, which runs here by the command `argv`. Raises OSError if it cannot be read."""
    path = path.resolve()
    return Script(path=str(path), argv=argv, cwd=str(Path.cwd()), sha256=checksum(path))


def running_script() -> Script | None:
    """Return the script of this process, or None in a notebook, in `python -c` and in an interactive session."""
    path = Path(sys.argv[0]) if sys.argv and sys.argv[0] else None
    if path is None or in_notebook() or not path.is_file():
        return None
    return describe(path, [sys.executable, *sys.orig_argv[1:]])


def script_name() -> str:
    """Return the name of the running script as `run.json` records it, else `notebook` or `python`."""
    if in_notebook():
        return "notebook"
    return Path(sys.argv[0]).name if sys.argv and sys.argv[0] not in ("", "-c") else "python"


def in_notebook() -> bool:
    """Return whether a notebook's kernel runs this code: there a script never ends, and an interrupt ends a cell."""
    return "ipykernel" in sys.modules and hasattr(sys.modules.get("IPython"), "get_ipython")


def given_folder() -> RunFolder | None:
    """Return the folder that `stoker run` gave to this process, once: a second run in it makes its own folder."""
    path = os.environ.pop(FOLDER_VARIABLE, None)
    return RunFolder(Path(path)) if path else None


def change_since(record: Record) -> str | None:
    """Return how the script differs from the one that the run started with, or None."""
    if record.script is None:
        return None
    try:
        same = checksum(Path(record.script.path)) == record.script.sha256
    except OSError as error:
        return f"{record.script.path} cannot be read: {error.strerror}"
    return None if same else f"{Path(record.script.path).name} was changed since the run started"


def checksum(path: Path) -> str:
    """Return the sha256 of a file. Raises OSError."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
