"""Where the files that tests need stand."""

from pathlib import Path

SUPPORT = Path(__file__).parent
PROJECTS = SUPPORT.parent / "projects"
