"""The recorded environment of a run."""

from __future__ import annotations

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

import stoker
from stoker.engine.environment import git_commit, versions


def test_the_versions_of_a_run() -> None:
    """They include the version of stoker, which is defined in one place."""
    found = versions()
    assert set(found) - {"cuda"} == {"stoker", "python", "torch", "numpy", "machine"}
    assert found["stoker"] == stoker.__version__ == version("stoker")
    assert found["torch"] == str(torch.__version__)


def test_the_commit_of_a_folder(tmp_path: Path) -> None:
    """It is dirty if a tracked file has changed; outside of a repository there is none."""
    assert git_commit(tmp_path) is None

    def git(*arguments: str) -> str:
        options = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(["git", *options, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "--quiet")
    (tmp_path / "task.py").write_text("1")
    git("add", "task.py")
    git("commit", "--quiet", "--message", "one")
    assert git_commit(tmp_path) == {"commit": git("rev-parse", "HEAD"), "dirty": False}
    (tmp_path / "task.py").write_text("2")
    assert git_commit(tmp_path) == {"commit": git("rev-parse", "HEAD"), "dirty": True}


def test_git_is_asked_without_taking_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`git status` would write the index of the user's repository."""
    (tmp_path / "git").write_text('#!/bin/sh\necho "$GIT_OPTIONAL_LOCKS" >> "$(dirname "$0")/locks"\necho abc\n')
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    git_commit(tmp_path)
    assert set((tmp_path / "locks").read_text().split()) == {"0"}
