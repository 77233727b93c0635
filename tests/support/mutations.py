"""Damage the files of a run in every way that a byte, a number or a value can be wrong."""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

ESCAPES = (
    "\x1b]52;c;aGk=\x07",
    "\x1b[2J",
    "\x9b31m",
    "\x07\r\n",
    "\u202eabc",
    "\u200b",
    "\x1b]0;title\x07",
    "[red]x[/]",
)
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**53, 2**63, -(2**64), 1e308, -1e308, 1e-320, "NaN", "Infinity", "-Infinity",
    "", "x" * 10_000, "five", "../../etc/passwd", "/dev/zero", [], [[]], [1] * 3, {}, {"a": {"b": []}}, {"": None},
    *ESCAPES,
)  # fmt: skip
RAW = (
    b"\x00",
    b"\xff\xfe",
    b"\x1b[2J",
    b"1e999",
    b"-9" * 400,
    b"[" * 3000,
    b'{"a":' * 500,
    b'"',
    b"}",
    b"\n\n",
    b"NaN",
    b"null",
)
NEVER = ("workers", "device", "data", "threads")  # settings that would start processes or change this one


def mutate(folder: Path, dice: random.Random) -> str:
    """Damage one file of the run in `folder`; return in words what was done."""
    name, way = dice.choice(WAYS)
    path = folder / name
    return f"{name}: {way(path, dice)}"


def _flip(path: Path, dice: random.Random) -> str:
    content = bytearray(path.read_bytes())
    for _ in range(dice.choice((1, 1, 3, 20))):
        if content:
            content[dice.randrange(len(content))] = dice.randrange(256)
    path.write_bytes(content)
    return "flipped bytes"


def _cut(path: Path, dice: random.Random) -> str:
    content = path.read_bytes()
    size = dice.randrange(len(content) + 1)
    path.write_bytes(content[:size])
    return f"cut to {size} bytes"


def _insert(path: Path, dice: random.Random) -> str:
    content = path.read_bytes()
    at, piece = dice.randrange(len(content) + 1), dice.choice(RAW)
    path.write_bytes(content[:at] + piece + content[at:])
    return f"inserted {piece[:12]!r} at {at}"


def _repeat(path: Path, dice: random.Random) -> str:
    content = path.read_bytes()
    first, last = sorted(dice.randrange(len(content) + 1) for _ in range(2))
    path.write_bytes(content[:last] + content[first:])
    return f"repeated {first}..{last}"


def _replace(path: Path, dice: random.Random) -> str:
    kind = dice.choice(("nothing", "empty", "folder", "link to itself", "link to nothing", "device"))
    path.unlink()
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "folder":
        path.mkdir()
    elif kind == "link to itself":
        path.symlink_to(path)
    elif kind == "link to nothing":
        path.symlink_to("/nowhere/at/all")
    elif kind == "device":
        path.symlink_to("/dev/zero")
    return f"replaced by {kind}"


def _line(path: Path, dice: random.Random) -> str:
    """Change a value in one line of JSON."""
    lines = path.read_text().splitlines()
    number = dice.randrange(len(lines))
    entry = json.loads(lines[number])
    done = _change(entry, dice, VALUES)
    lines[number] = json.dumps(entry)
    path.write_text("\n".join(lines) + "\n")
    return f"line {number + 1}: {done}"


def _record(path: Path, dice: random.Random) -> str:
    """Change a field, a setting or a parameter of the record."""
    record = json.loads(path.read_text())
    part = dice.choice(("", "given", "settings", "parameters"))
    values = [value for value in VALUES if part != "parameters" or not (isinstance(value, int) and abs(value) > 9)]
    if part:
        keys = [key for key in record[part] if key not in NEVER] or ["lr"]
        record[part][dice.choice([*keys, "unknown"])] = (chosen := dice.choice(values))
        done = f"{part} {chosen!r:.40}"
    else:
        done = _change(record, dice, values)
    path.write_text(json.dumps(record))
    return done


def _checkpoint(path: Path, dice: random.Random) -> str:
    """Change a value inside a checkpoint; its checksum is forgotten, so that the content is looked at."""
    saved = torch.load(path, weights_only=True)
    tensors = (torch.zeros(0), torch.zeros(3, 3), torch.tensor(float("nan")), torch.zeros(2, dtype=torch.int64))
    done = _change(saved, dice, (*VALUES, *tensors))
    torch.save(saved, path)
    (path.parent / "SHA256SUMS").unlink(missing_ok=True)
    return done


def _change(entry: Any, dice: random.Random, values: Any) -> str:
    """Replace or remove a random value inside nested dicts and lists."""
    where, key = entry, dice.choice(list(entry))
    path = [str(key)]
    while isinstance(where[key], dict | list) and where[key] and dice.random() < 0.8:
        where = where[key]
        key = dice.choice(list(where)) if isinstance(where, dict) else dice.randrange(len(where))
        path.append(str(key))
    if isinstance(where, dict) and dice.random() < 0.15:
        del where[key]
        return f"{'.'.join(path)} removed"
    value = copy.deepcopy(dice.choice(values))
    where[key] = value
    return f"{'.'.join(path)} = {value!r:.40}"


Way = Callable[[Path, random.Random], str]
BYTES: tuple[Way, ...] = (_flip, _cut, _insert, _repeat, _replace)
WAYS: list[tuple[str, Way]] = [
    *((name, way) for name in ("events.jsonl", "run.json", "commands.jsonl") for way in BYTES),
    *(("checkpoints/SHA256SUMS", way) for way in BYTES),
    *((f"checkpoints/{name}", way) for name in ("latest.pt", "best.pt") for way in BYTES),
    *[("events.jsonl", _line)] * 10,
    *[("commands.jsonl", _line)] * 3,
    *[("run.json", _record)] * 10,
    *[("checkpoints/latest.pt", _checkpoint)] * 10,
]


def copy_of(folder: Path, place: Path) -> Path:
    """Return a copy of a run folder in `place`."""
    return Path(shutil.copytree(folder, place / folder.name, symlinks=True))
