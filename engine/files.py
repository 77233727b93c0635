"""Write files atomically: a reader, or a crash, sees the old content or the new content and never half of it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

PRIVATE = 0o600  # mode of a run's own files: only the owner reads them
ORDINARY = 0o666  # mode of exported files, before the umask
TEMPORARY = ".*.tmp"  # pattern of the temporary names, which a killed process leaves behind
STEM = 40  # characters of the target's name in a temporary name; the system allows 255 bytes in all


class _Raw(io.FileIO):
    """A file that remembers its first write error, because torch's writer replaces it by an error without a reason."""

    error: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.error = self.error or error
            raise


@contextlib.contextmanager
def atomic_file(
    target: Path, *, private: bool = False, before_rename: Callable[[Path], None] | None = None
) -> Iterator[BinaryIO]:
    """Yield a binary file that replaces `target` when the block ends; `target` keeps its old content until then.

    The content is written under a temporary name beside `target`, fsynced, renamed, and the folder is fsynced.
    An ordinary file has the mode of any new file; its folders are created, and a symbolic link is followed. A
    `private` file has mode 0600; its folder must exist, and a symbolic link is replaced. `before_rename` is called with
    the temporary path when its content is durable. Raises OSError, before the block runs if `target` cannot be a
    file. After any error the temporary file is removed and `target` is unchanged.
    """
    path = target if private else _prepare(target)
    temporary = _temporary(path)
    raw = _Raw(temporary, "x", opener=lambda name, flags: os.open(name, flags, PRIVATE if private else ORDINARY))
    if not private:
        _hold(raw.fileno())
    try:
        with io.BufferedWriter(raw) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if before_rename is not None:
            before_rename(temporary)
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if raw.error is not None and isinstance(error, Exception):
            raise raw.error from error
        raise


def atomic_write(path: Path, content: bytes) -> None:
    """Replace `path` by a private file (mode 0600) with this content. Raises OSError."""
    with atomic_file(path, private=True) as file:
        file.write(content)


def atomic_link(source: Path, target: Path) -> None:
    """Give `target` the content of `source` by a hard link, or by a private copy where links are not supported.

    `source` must be durable already. The caller fsyncs the folder. Raises OSError.
    """
    temporary = _temporary(target)
    try:
        os.link(source, temporary)
    except OSError:
        with source.open("rb") as content, atomic_file(target, private=True) as copy:
            shutil.copyfileobj(content, copy)
        return
    try:
        temporary.replace(target)
    finally:
        # Also after success: a rename between two links of one file does nothing.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove_temporary_files(folder: Path) -> None:
    """Remove the temporary files that a killed process left in `folder`. Raises OSError.

    No other process may be writing there: hold the run's lock.
    """
    for path in folder.glob(TEMPORARY):
        path.unlink(missing_ok=True)


def open_regular(path: Path, flags: int = os.O_RDONLY, *, follow: bool = True) -> int:
    """Return the descriptor of a regular file; with O_CREAT a new one has mode 0600.

    A pipe or a device is refused at once, so that no reader waits for it. Without `follow` a symbolic link is refused
    too: it may lead to a file of somebody else. Raises OSError.
    """
    try:
        file = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW), PRIVATE)
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            raise OSError(errno.ELOOP, f"{path.name} is a symbolic link", str(path)) from error
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, f"{path.name} is not a regular file", str(path))
    return file


def read_regular(path: Path, limit: int) -> bytes:
    """Return the content of a regular file of at most `limit` bytes. Raises OSError."""
    with os.fdopen(open_regular(path), "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"{path.name} is larger than {limit:,} bytes", str(path))
    return content


def sync_file(path: Path) -> None:
    """Make the content of `path` durable, whichever process wrote it. Raises OSError."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def sync_folder(path: Path) -> None:
    """Make renames inside the folder `path` durable. Raises OSError."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name[:STEM]}.{secrets.token_hex(6)}.tmp")


def _prepare(target: Path) -> Path:
    """Create the folders of `target` and return the path it links to. Raises OSError if it cannot be a file."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(target.stat().st_mode):
            raise _error(errno.EISDIR, target)
    path = Path(os.path.realpath(target))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise _error(errno.ENOTDIR, target) from None
    with contextlib.suppress(OSError):
        _remove_abandoned(path)
    return path


def _hold(file: int) -> bool:
    """Lock a file until its process ends, so that others see that it is in use; return whether that worked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held by another process, or a file system without locks
        return False
    return True


def _remove_abandoned(path: Path) -> None:
    """Remove the temporary files for `path` that a killed process left behind."""
    name = re.compile(rf"\.{re.escape(path.name[:STEM])}\.[0-9a-f]{{12}}\.tmp")
    for other in path.parent.iterdir():
        if not name.fullmatch(other.name):
            continue
        with contextlib.suppress(OSError):
            file = open_regular(other, os.O_RDWR, follow=False)
            try:
                if _hold(file):
                    other.unlink()
            finally:
                os.close(file)


def _error(code: int, path: Path) -> OSError:
    return OSError(code, os.strerror(code), str(path))
