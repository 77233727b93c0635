"""`SHA256SUMS`: the sum of every checkpoint file, as `sha256sum -c` reads it.

Its lines are in the order of writing, which a copied folder keeps where the files' times do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .runs import write_whole

SUMS = "SHA256SUMS"
LATEST, PREVIOUS = "latest.pt", "previous.pt"
PENDING = 4  # sums remembered for a name: each engine killed between recording one and renaming the file adds one


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


def record(folder: Path, names: Sequence[str], digest: str) -> None:
    """Record `digest` for `names` before they are renamed; what they hold until then stays known. Raises OSError."""
    all_known: list[tuple[str, str]] = []
    for old, name in lines(folder):
        if LATEST in names and name == LATEST:
            all_known.append((old, PREVIOUS))
        if (folder / name).exists():
            all_known.append((old, name))
    # The file's last one first, so that `latest.pt` and not its numbered twin is the newest.
    all_known += [(digest, name) for name in reversed(names)]
    known: dict[str, int] = {}
    recent: list[tuple[str, str]] = []
    for old, name in reversed(all_known):
        known[name] = known.get(name, 0) + 1
        if known[name] <= PENDING and (old, name) not in recent:
            recent.append((old, name))
    text = "".join(f"{old}  {name}\n" for old, name in reversed(recent))
    write_whole(folder / SUMS, text.encode())
