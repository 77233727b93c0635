"""Where the built-in tasks find their data sets, and how missing files are downloaded."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import shutil
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..errors import RequestError
from ..files import atomic_file

CHUNK = 1 << 16  # bytes read at a time
READ_TIMEOUT = 20.0  # seconds without a byte before a server counts as silent
LOG_INTERVAL = 1.0  # seconds between two lines of progress

_folder: ContextVar[Path | None] = ContextVar("folder", default=None)


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


_on_progress: ContextVar[Callable[[str], None]] = ContextVar("on_progress", default=_print)


@dataclass(frozen=True)
class Remote:
    """A file that can be downloaded."""

    name: str
    """Its file name in the data folder."""
    urls: tuple[str, ...]
    """Addresses of the same file; the next one is tried if one fails."""
    md5: str
    """The md5 sum given by the publisher."""


def data_folder() -> Path:
    """Return the folder of data sets: `--data`, or $STOKER_DATA, or ~/.cache/stoker/data."""
    chosen = _folder.get() or os.environ.get("STOKER_DATA") or "~/.cache/stoker/data"
    return Path(chosen).expanduser()


def report(line: str) -> None:
    """Show a line of progress about data that takes long to load: in the event log, or else on stderr."""
    _on_progress.get()(line)


@contextlib.contextmanager
def using(folder: str | None, on_progress: Callable[[str], None] | None = None) -> Iterator[None]:
    """Make `data_folder()` return `folder`, and `report` call `on_progress`, during the block.

    With None the default is kept. Raises RequestError if there is no such folder.
    """
    if folder is not None and not Path(folder).expanduser().is_dir():
        raise RequestError(f"--data {folder}: there is no such folder: create it, or name an existing one")
    tokens = _folder.set(Path(folder) if folder is not None else None), _on_progress.set(on_progress or _print)
    try:
        yield
    finally:
        _folder.reset(tokens[0])
        _on_progress.reset(tokens[1])


def require(task: str, files: Sequence[Remote], folder: Path, present: Callable[[Remote], bool]) -> None:
    """Download those of `files` that are not `present` into `folder`.

    Raises RequestError if that fails; the message says which files to put where.
    """
    missing = [file for file in files if not present(file)]
    try:
        for file in missing:
            fetch(file, folder)
    except OSError as error:
        names = ", ".join(file.name for file in missing)
        reason = getattr(error, "reason", None) or error.strerror or error
        raise RequestError(
            f"{task}: its data files are missing and could not be downloaded ({reason}):"
            f" put {names} into {folder}, or give --data DIR"
        ) from error


@contextlib.contextmanager
def reading(task: str, folder: Path) -> Iterator[None]:
    """Turn an error of the code that reads the files in `folder` into one line. Raises RequestError."""
    try:
        yield
    except (OSError, EOFError, RuntimeError, ValueError, AssertionError, KeyError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise RequestError(f"{task}: the files in {folder} are damaged or not those of {task} ({reason})") from error


def unpack(path: Path) -> None:
    """Unpack the .gz file at `path` into the same folder, atomically. Raises OSError or EOFError."""
    with gzip.open(path) as packed, atomic_file(path.with_suffix("")) as out:
        shutil.copyfileobj(packed, out)


def fetch(file: Remote, folder: Path) -> None:
    """Download `file` into `folder` atomically and report its progress. Raises OSError, of the first address."""
    errors: list[OSError] = []
    for url in file.urls:
        try:
            with atomic_file(folder / file.name) as out:
                if _download(url, out, file.name) != file.md5:
                    raise OSError(f"{url} sent another file: its md5 sum is not {file.md5}")
            return
        except OSError as error:
            errors.append(error)
    raise errors[0]


def _download(url: str, out: BinaryIO, name: str) -> str:
    """Write the file at `url` to `out` and return its md5 sum. Raises OSError."""
    digest, done, reported = hashlib.md5(usedforsecurity=False), 0, 0.0
    with urllib.request.urlopen(url, timeout=READ_TIMEOUT) as answer:
        size = int(answer.headers.get("Content-Length") or 0)
        while chunk := answer.read(CHUNK):
            out.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if time.monotonic() - reported >= LOG_INTERVAL or done == size:
                reported = time.monotonic()
                share = f" of {size / 1e6:.1f} MB ({done / size:.0%})" if size else " MB"
                report(f"downloading {name}: {done / 1e6:.1f}{share}")
    return digest.hexdigest()
