"""Folders of files that tests need."""

from pathlib import Path

SUPPORT = Path(__file__).parent
PROJECTS = SUPPORT.parent / "projects"
