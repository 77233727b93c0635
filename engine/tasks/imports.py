"""Import the files of a user's task: afresh for each task, with a checksum of each file."""

from __future__ import annotations

import hashlib
import importlib
import sys
import sysconfig
from pathlib import Path

LIBRARIES = ("site-packages", "dist-packages")  # names of folders of installed packages
STANDARD = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib"))
ENGINE = Path(__file__).parents[1]
BUILT_IN = ENGINE / "tasks" / "builtin"

_before: set[str] | None = None  # names of the modules imported before the task
_added: list[str] = []  # folders added to sys.path for the task
_root = Path()  # the task's folder


def isolate(root: Path, *more: Path) -> None:
    """Prepare for importing a task from the folder `root`: put it, and the folders `more`, first on the import path.

    The modules of the previous task are dropped from memory: two tasks may each have a `utils.py`, and a file may have
    changed since.
    """
    global _before, _added, _root  # noqa: PLW0603 - as global as sys.modules and sys.path
    for name in _task_modules():
        del sys.modules[name]
    for folder in _added:
        sys.path.remove(folder)
    _before, _root = set(sys.modules), root
    _added = [str(folder) for folder in (root, *more) if str(folder) not in sys.path]
    sys.path[:0] = _added
    importlib.invalidate_caches()


def checksums() -> dict[str, str]:
    """Return the sha256 of each file of the task imported so far, by its path inside the task's folder."""
    found: dict[str, str] = {}
    for path in filter(Path.is_file, _task_modules().values()):
        name = path.relative_to(_root) if path.is_relative_to(_root) else path
        found[str(name)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return dict(sorted(found.items()))


def is_user_file(path: Path) -> bool:
    """Return whether a file or folder belongs to the user: neither to a library, nor to Python, nor to the engine.

    The files of the built-in tasks count as the user's.
    """
    is_engine = path.is_relative_to(ENGINE) and not path.is_relative_to(BUILT_IN)
    if not path.exists() or is_engine or any(part in LIBRARIES for part in path.parts):
        return False
    return not any(path.resolve().is_relative_to(standard) for standard in STANDARD)


def _task_modules() -> dict[str, Path]:
    """Return the user's modules imported since `isolate`: their files, or folders without `__init__.py`."""
    if _before is None:
        return {}
    found: dict[str, Path] = {}
    for name, module in list(sys.modules.items()):
        place = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
        if name not in _before and not name.startswith("stoker.") and place and is_user_file(Path(place)):
            found[name] = Path(place)
    return found
