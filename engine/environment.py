"""The environment of a run: versions of the software, and the git commit of the task."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from stoker.version import __version__


def versions() -> dict[str, str]:
    """Return the versions that decide whether a run can be repeated bit for bit.

    The keys are `stoker`, `python`, `torch`, `numpy`, `cuda` (if torch was built with it) and `machine`. The record of a
    run and a checkpoint store them under these keys.
    """
    import numpy
    import torch

    found = {
        "stoker": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": numpy.__version__,
    }
    if torch.version.cuda:
        found["cuda"] = torch.version.cuda
    return {**found, "machine": f"{platform.system()} {platform.machine()}"}


def git_commit(folder: Path) -> dict[str, Any] | None:
    """Return the `commit` of `folder` and whether tracked files are `dirty`; None without a repository or git."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None
    return {"commit": commit, "dirty": bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))}


def _git(folder: Path, *arguments: str) -> str | None:
    """Return the output of a git command, or None if it fails or takes over 5 seconds."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
            stdin=subprocess.DEVNULL,
            # Without it `git status` writes the index, and its lock is in the way of the user's own git.
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
