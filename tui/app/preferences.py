"""What a person chose, remembered from one session to the next; a file that cannot be read or written is no matter."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec
from platformdirs import user_config_path

from stoker.engine.runs.folder import write_whole


class Choices(msgspec.Struct, kw_only=True):
    """All that is remembered."""

    theme: str = ""


class Remembered:
    """The choices in a small file."""

    def __init__(self, path: Path | None = None) -> None:
        """Read them from `path`, in the person's folder of settings otherwise."""
        self.path = path or user_config_path("stoker") / "choices.json"
        try:
            self.choices = msgspec.json.decode(self.path.read_bytes(), type=Choices)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            self.choices = Choices()

    def write(self) -> None:
        """Write them, if that is possible."""
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, msgspec.json.encode(self.choices) + b"\n")
