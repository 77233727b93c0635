"""The files that a task of the user's own is made of: loaded afresh each time, and known by their sums."""

from __future__ import annotations

import hashlib
import importlib
import sys
import sysconfig
from pathlib import Path

LIBRARIES = ("site-packages", "dist-packages")
STANDARD = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib"))
ENGINE = Path(__file__).parents[1]
BUILT_IN = ENGINE / "tasks" / "builtin"

_before: set[str] | None = None
_added: list[str] = []
_root = Path()


def begin(root: Path, *further: Path) -> None:
    """Say that a task's code is about to be imported from `root`, and let Python look there first.

    What another task brought is dropped: two may each have a `utils.py`, and a file may have changed since.
    """
    global _before, _added, _root  # noqa: PLW0603 - as global as the modules they are about
    for name in _brought():
        del sys.modules[name]
    for folder in _added:
        sys.path.remove(folder)
    _before, _root = set(sys.modules), root
    _added = [str(folder) for folder in (root, *further) if str(folder) not in sys.path]
    sys.path[:0] = _added
    importlib.invalidate_caches()


def sums() -> dict[str, str]:
    """Return the sha256 of every file of the task imported so far, by its path inside the task's folder."""
    found: dict[str, str] = {}
    for path in filter(Path.is_file, _brought().values()):
        name = path.relative_to(_root) if path.is_relative_to(_root) else path
        found[str(name)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return dict(sorted(found.items()))


def users(path: Path) -> bool:
    """Say whether a file or folder is the user's: neither a library's, nor Python's, nor the engine's."""
    ours = path.is_relative_to(ENGINE) and not path.is_relative_to(BUILT_IN)
    if not path.exists() or ours or any(part in LIBRARIES for part in path.parts):
        return False
    return not any(path.resolve().is_relative_to(standard) for standard in STANDARD)


def _brought() -> dict[str, Path]:
    """Return the user's modules imported since `begin`: their files, or folders without `__init__.py`."""
    if _before is None:
        return {}
    found: dict[str, Path] = {}
    for name, module in list(sys.modules.items()):
        place = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
        if name not in _before and not name.startswith("stoker.") and place and users(Path(place)):
            found[name] = Path(place)
    return found
