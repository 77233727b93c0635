"""Files for other programs, whole or not at all: what was there stays until the new one is complete and durable."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from .runs.folder import sync_folder


class _Raw(io.FileIO):
    """Remembers why a write failed: torch's and others' writers hide it behind an error of their own."""

    error: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.error = self.error or error
            raise


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write, which takes the name `target` at the end; the folders above it are made.

    It has the mode of any new file, unlike a run's own files. Raises OSError, at once for a place that cannot be
    written, and with the system's reason where a writer hides it; then nothing is left and `target` is as it was.
    """
    _refuse(target)
    # A link stays one: what it points to is replaced.
    path = Path(os.path.realpath(target))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise _error(errno.ENOTDIR, target) from None
    # Short, because the target's own name may be as long as a name can be.
    temporary = path.with_name(f".stoker-{secrets.token_hex(6)}.tmp")
    raw = _Raw(temporary, "x")
    try:
        with io.BufferedWriter(raw) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if raw.error is not None and isinstance(error, Exception):
            raise raw.error from error
        raise


def _refuse(target: Path) -> None:
    """Raise OSError where `target` cannot be a file: a folder, or a name that the system does not take."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(target.stat().st_mode):
            raise _error(errno.EISDIR, target)


def _error(code: int, path: Path) -> OSError:
    return OSError(code, os.strerror(code), str(path))
