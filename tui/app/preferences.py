"""The user's preferences, kept between sessions. Errors reading or writing the file are ignored."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec
from platformdirs import user_config_path

from stoker.engine.files import atomic_write

MOST_SEEN = 200  # runs


class Preferences(msgspec.Struct, kw_only=True):
    """All preferences."""

    theme: str = ""
    seen: dict[str, float] = {}
    """When each run was last looked at, in Unix seconds, by its path; the newest `MOST_SEEN`."""


class PreferencesFile:
    """The preferences in a small JSON file."""

    def __init__(self, path: Path | None = None) -> None:
        """Read `path`, by default `choices.json` in the user's configuration folder."""
        self.path = path or user_config_path("stoker") / "choices.json"
        try:
            self.current = msgspec.json.decode(self.path.read_bytes(), type=Preferences)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            self.current = Preferences()

    def look(self, path: Path, at: float) -> None:
        """Record that the run at `path` was looked at until `at`, in Unix seconds."""
        self.current.seen[str(path)] = at
        newest = sorted(self.current.seen.items(), key=lambda item: item[1])[-MOST_SEEN:]
        self.current.seen = dict(newest)
        self.write()

    def write(self) -> None:
        """Write `current`; an error is ignored."""
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self.path, msgspec.json.encode(self.current) + b"\n")
