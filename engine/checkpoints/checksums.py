"""`SHA256SUMS`: the sum of every checkpoint file, as `sha256sum -c` reads it.

Its lines are in the order of writing, which a copied folder keeps where the files' times do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..runs.folder import write_whole

SUMS = "SHA256SUMS"
LATEST, PREVIOUS = "latest.pt", "previous.pt"
PENDING = 64  # sums remembered for a name: each engine killed between recording one and renaming the file adds one


def sums(folder: Path) -> dict[str, list[str]]:
    """Return the sums recorded for each file name; while a file is being replaced both the old and the new one."""
    found: dict[str, list[str]] = {}
    for digest, name in lines(folder):
        found.setdefault(name, []).append(digest)
    return found


def lines(folder: Path) -> list[tuple[str, str]]:
    """Return what `SHA256SUMS` says: (sum, file name) in the order of writing."""
    try:
        text = (folder / SUMS).read_text(errors="replace")
    except OSError:
        return []
    return [(digest, name) for digest, _, name in (line.partition("  ") for line in text.splitlines())]


def record(folder: Path, names: Sequence[str], digest: str) -> bytes:
    """Record `digest` for `names` before they are renamed, and return what is to be recorded after. Raises OSError.

    Before, what the names hold until then stays known; after, each file has the one sum that it is of.
    """
    before: list[tuple[str, str]] = []
    after: list[tuple[str, str]] = []
    replaced = {*names, PREVIOUS} if LATEST in names and (folder / LATEST).exists() else set(names)
    for old, name in lines(folder):
        if PREVIOUS in replaced and name == LATEST:
            before.append((old, PREVIOUS))
            after.append((old, PREVIOUS))
        if (folder / name).exists():
            before.append((old, name))
            after += [] if name in replaced else [(old, name)]
    # The file's last one first, so that `latest.pt` and not its numbered twin is the newest.
    new = [(digest, name) for name in reversed(names)]
    write_whole(folder / SUMS, _text([*before, *new]))
    return _text([*after, *new])


def settle(folder: Path, text: bytes) -> None:
    """Record what `record` returned, once the files have their names. Raises OSError."""
    write_whole(folder / SUMS, text)


def _text(entries: list[tuple[str, str]]) -> bytes:
    known: dict[str, int] = {}
    recent: list[tuple[str, str]] = []
    for digest, name in reversed(entries):
        known[name] = known.get(name, 0) + 1
        if known[name] <= PENDING and (digest, name) not in recent:
            recent.append((digest, name))
    return "".join(f"{digest}  {name}\n" for digest, name in reversed(recent)).encode()
