"""The packages that pyproject.toml lists by hand are those of the folders; an editable install hides a missing one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {"stoker": "stoker", "engine": "stoker.engine", "tui": "stoker.tui"}


def setuptools() -> dict[str, Any]:
    """Return the table [tool.setuptools] of pyproject.toml."""
    tomllib = pytest.importorskip("tomllib", reason="tomllib came with Python 3.11")
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    return table


def package_of(folder: Path) -> str:
    """Return the package that a folder is installed as."""
    top, *rest = folder.relative_to(ROOT).parts
    return ".".join((FOLDERS[top], *rest))


def folder_of(package: str, tops: dict[str, Path]) -> Path:
    """Return the folder of a package; `tops` maps stoker.engine and stoker.tui to theirs."""
    for top, folder in tops.items():
        if package == top or package.startswith(f"{top}."):
            return folder.joinpath(*package[len(top) + 1 :].split(".")) if package != top else folder
    return ROOT / package


def test_packages_are_the_folders_with_python_files() -> None:
    """The list of packages equals the folders of stoker/, engine/ and tui/ that hold Python files."""
    found = {package_of(path.parent) for name in FOLDERS for path in (ROOT / name).rglob("*.py")}
    assert sorted(setuptools()["packages"]) == sorted(found)


def test_package_data_covers_styles_and_type_markers() -> None:
    """Every .tcss file and every py.typed matches a pattern of package-data."""
    table = setuptools()
    tops = {package: ROOT / folder for package, folder in table["package-dir"].items() if package != "stoker"}
    covered = {
        path
        for package, patterns in table["package-data"].items()
        for p in patterns
        for path in folder_of(package, tops).glob(p)
    }
    wanted = {path for name in FOLDERS for p in ("*.tcss", "py.typed") for path in (ROOT / name).rglob(p)}
    assert {path.parent.name for path in wanted} >= {"styles", "stoker", "engine", "tui"}
    assert wanted <= covered
