"""`SHA256SUMS`: the checksum of every checkpoint file, in the format of `sha256sum -c`.

Its lines are in the order of writing, which survives copying the folder; the files' times do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..files import atomic_write, read_regular

SUMS = "SHA256SUMS"
LATEST, PREVIOUS = "latest.pt", "previous.pt"
MAX_SIZE = 64 * 1024 * 1024  # bytes of the file at most
LONGEST_NAME = 255  # bytes of a file's name
PENDING = 64  # checksums kept for a name: each engine killed between recording one and the rename leaves one


def checksums(folder: Path) -> dict[str, list[str]]:
    """Return the recorded sha256 sums by file name; while a file is replaced, both its old and its new one."""
    found: dict[str, list[str]] = {}
    for digest, name in read_entries(folder):
        found.setdefault(name, []).append(digest)
    return found


def read_entries(folder: Path) -> list[tuple[str, str]]:
    """Return the lines of `SHA256SUMS` as (sha256, file name) in the order of writing; empty if there is no file."""
    try:
        text = read_regular(folder / SUMS, MAX_SIZE).decode(errors="replace")
    except OSError:
        return []
    entries = ((digest, name) for digest, _, name in (line.partition("  ") for line in text.splitlines()))
    # A name that no file can have would make every save fail.
    return [(digest, name) for digest, name in entries if len(name.encode()) <= LONGEST_NAME]


def record_pending(folder: Path, names: Sequence[str], digest: str) -> bytes:
    """Record `digest` for `names` before the rename, and return the text to `commit` after it. Raises OSError.

    Until the rename both the old and the new checksum are valid; afterwards only the new one.
    """
    before: list[tuple[str, str]] = []
    after: list[tuple[str, str]] = []
    replaced = {*names, PREVIOUS} if LATEST in names and (folder / LATEST).exists() else set(names)
    for old, name in read_entries(folder):
        if PREVIOUS in replaced and name == LATEST:
            before.append((old, PREVIOUS))
            after.append((old, PREVIOUS))
        if (folder / name).exists():
            before.append((old, name))
            after += [] if name in replaced else [(old, name)]
    # The first name last, so that `latest.pt` and not its numbered twin counts as the newest.
    new = [(digest, name) for name in reversed(names)]
    atomic_write(folder / SUMS, _text([*before, *new]))
    return _text([*after, *new])


def commit(folder: Path, text: bytes) -> None:
    """Write the text that `record_pending` returned, when the files are renamed. Raises OSError."""
    atomic_write(folder / SUMS, text)


def _text(entries: list[tuple[str, str]]) -> bytes:
    """Return the lines of `entries` without duplicates, the last PENDING of each name."""
    count: dict[str, int] = {}
    recent: list[tuple[str, str]] = []
    for digest, name in reversed(entries):
        count[name] = count.get(name, 0) + 1
        if count[name] <= PENDING and (digest, name) not in recent:
            recent.append((digest, name))
    return "".join(f"{digest}  {name}\n" for digest, name in reversed(recent)).encode()
