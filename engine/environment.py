"""The git commit that a run was started from."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any


def commit(folder: Path) -> dict[str, Any] | None:
    """Return the commit of `folder` and whether it has changes, or None outside a repository or without git."""

    def ask(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", *words],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=5,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    found = ask("rev-parse", "HEAD")
    if not found:
        return None
    return {"commit": found, "dirty": bool(ask("status", "--porcelain", "--untracked-files=no"))}
