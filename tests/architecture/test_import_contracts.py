"""The import contracts of pyproject.toml hold: what each folder may import."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_import_contracts_hold(tmp_path: Path) -> None:
    """`lint-imports` finds no import that a contract forbids, in a copy whose folders have the packages' names."""
    if "[[tool.importlinter.contracts]]" not in (ROOT / "pyproject.toml").read_text():
        pytest.skip("pyproject.toml has no import contracts")
    pytest.importorskip("importlinter")
    for folder, package in (("stoker", ""), ("engine", "engine"), ("tui", "tui")):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / "stoker" / package, ignore=ignore, dirs_exist_ok=True)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    command: list[str | Path] = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
