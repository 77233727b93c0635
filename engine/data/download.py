"""Where the built-in tasks find their data, and how missing files get there: downloaded whole, or asked for."""

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

from ..errors import RequestError

CHUNK = 1 << 16  # bytes
PATIENCE = 20.0  # seconds without a byte before a server counts as silent
APART = 1.0  # seconds between two lines of progress

_folder: ContextVar[Path | None] = ContextVar("folder", default=None)


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


_tell: ContextVar[Callable[[str], None]] = ContextVar("tell", default=_print)


@dataclass(frozen=True)
class Remote:
    """A file that can be downloaded: its name, where it is, and the md5 sum that its publisher gives."""

    name: str
    urls: tuple[str, ...]
    md5: str


def data_folder() -> Path:
    """Return the folder of data sets: `--data`, or $STOKER_DATA, or ~/.cache/stoker/data."""
    chosen = _folder.get() or os.environ.get("STOKER_DATA") or "~/.cache/stoker/data"
    return Path(chosen).expanduser()


def tell(line: str) -> None:
    """Say a line about data that takes its time, to whoever waits for the task."""
    _tell.get()(line)


@contextlib.contextmanager
def using(folder: str | None, hear: Callable[[str], None] | None = None) -> Iterator[None]:
    """Let `data_folder` be `folder` if given, and `hear` be told of progress, while a task is built.

    Raises RequestError for a folder that is not there.
    """
    if folder is not None and not Path(folder).expanduser().is_dir():
        raise RequestError(f"--data {folder}: there is no such folder")
    tokens = _folder.set(Path(folder) if folder is not None else None), _tell.set(hear or _print)
    try:
        yield
    finally:
        _folder.reset(tokens[0])
        _tell.reset(tokens[1])


def require(task: str, files: Sequence[Remote], folder: Path, present: Callable[[Remote], bool]) -> None:
    """Download those of `files` that are not `present` into `folder`.

    Raises RequestError, which says what to put where, if that fails.
    """
    missing = [file for file in files if not present(file)]
    try:
        for file in missing:
            fetch(file, folder)
    except OSError as error:
        names = ", ".join(file.name for file in missing)
        reason = getattr(error, "reason", None) or error.strerror or error
        raise RequestError(
            f"{task}: its files are not there and could not be downloaded ({reason}):"
            f" put {names} into {folder}, or say --data DIR"
        ) from error


@contextlib.contextmanager
def reading(task: str, folder: Path) -> Iterator[None]:
    """Say in one line what is wrong with the files of `folder`, whatever their reader raises. Raises RequestError."""
    try:
        yield
    except (OSError, EOFError, RuntimeError, ValueError, AssertionError, KeyError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise RequestError(f"{task}: the files in {folder} are damaged or not those of {task} ({reason})") from error


def unpack(path: Path) -> None:
    """Write what the .gz file at `path` holds beside it, whole or not at all. Raises OSError or EOFError."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part")
    try:
        with gzip.open(path) as packed, temporary.open("wb") as out:
            shutil.copyfileobj(packed, out)
        temporary.replace(path.with_suffix(""))
    finally:
        temporary.unlink(missing_ok=True)


def fetch(file: Remote, folder: Path) -> None:
    """Download `file` into `folder`, whole or not at all, telling how far it is. Raises OSError."""
    errors: list[OSError] = []
    for url in file.urls:
        temporary = folder / f".{file.name}.{os.getpid()}.part"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if _download(url, temporary, file.name) != file.md5:
                raise OSError(f"{url} sent another file than it should: its md5 sum differs")
            temporary.replace(folder / file.name)
            return
        except OSError as error:
            errors.append(error)
        finally:
            temporary.unlink(missing_ok=True)
    raise errors[0]


def _download(url: str, path: Path, name: str) -> str:
    """Write what `url` sends to `path` and return its md5 sum."""
    digest, done, told = hashlib.md5(usedforsecurity=False), 0, 0.0
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer, path.open("wb") as out:
        size = int(answer.headers.get("Content-Length") or 0)
        while chunk := answer.read(CHUNK):
            out.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if time.monotonic() - told >= APART or done == size:
                told = time.monotonic()
                share = f" of {size / 1e6:.1f} MB ({done / size:.0%})" if size else " MB"
                tell(f"downloading {name}: {done / 1e6:.1f}{share}")
    return digest.hexdigest()
