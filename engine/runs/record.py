"""`run.json`: the task, settings and environment of a run, so that it can be resumed, repeated and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ..errors import RunError
from ..files import atomic_write, read_regular

MAX_SIZE = 16 * 1024 * 1024  # bytes; a larger file is no record, and must not fill the memory


class Script(msgspec.Struct, kw_only=True):
    """How to run a script with a loop of its own again."""

    path: str
    """The script's absolute path."""
    argv: list[str]
    """The whole command, Python first."""
    cwd: str
    """The folder that the command ran in."""
    sha256: str
    """Checksum of the script at the run's start."""


class Record(msgspec.Struct, kw_only=True):
    """The content of `run.json`. Missing fields take their defaults and unknown fields are skipped."""

    run: str
    """The run's name: the name of its folder."""
    task: str
    """The task as on the command line: a built-in name, `FILE.py:FUNCTION` or `module:function`."""
    parameters: dict[str, Any] = {}
    """Every parameter of the task's function; before the first start only those of the command line."""
    given: dict[str, Any] = {}
    """The settings of the command line alone; they override those of the task."""
    settings: dict[str, Any] = {}
    """Every setting, with the task's and the default values; empty before the first start."""
    seed: int | None = None
    """The setting `seed`; None before the first start."""
    versions: dict[str, str] = {}
    """Versions of `stoker`, `python`, `torch`, `numpy` and `cuda`, and the `machine`, at the first start."""
    git: dict[str, Any] | None = None
    """`commit` and `dirty` of the task's folder at the first start; None outside a repository."""
    sources: dict[str, str] = {}
    """sha256 of each of the user's files that the task imported, by path."""
    script: Script | None = None
    """The script that opens this run by itself; None for a task, and for a notebook."""
    host: str = ""
    """Name of the machine that created the folder."""
    started: float = 0.0
    """When the folder was created, in Unix seconds."""


def read_record(path: Path) -> Record:
    """Read the `run.json` at `path`. Raises RunError if its folder is not a run folder."""
    try:
        return msgspec.json.decode(read_regular(path, MAX_SIZE), type=Record)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RunError(f"{path.parent} is not a run folder: run.json cannot be read ({error})") from error


def write_record(path: Path, record: Record) -> None:
    """Write the `run.json` at `path` atomically. Raises OSError."""
    atomic_write(path, msgspec.json.format(msgspec.json.encode(record, enc_hook=str)) + b"\n")
