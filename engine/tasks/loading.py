"""Finds a task by name or file."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ..config.settings import choices
from ..errors import TaskError
from . import imports as sources
from .builtin import NAMES
from .parameters import convert
from .task import Task

WORKER = "Original Traceback (most recent call last)"
PLACE = re.compile(r'File "(.+)", line (\d+)')


def find(name: str) -> Callable[..., Task]:
    """Return the function of a task: a built-in name, `FILE.py:FUNCTION`, or `module:function`. Raises TaskError.

    Built-in tasks are found without torch; a user's file imports whatever it imports.
    """
    if name in NAMES:
        return getattr(importlib.import_module(f".builtin.{name}", __package__), name)  # type: ignore[no-any-return]
    where, colon, function = name.rpartition(":")
    if not colon and name.endswith(".py"):
        raise TaskError(_functions_of(Path(name)))
    if not colon:
        raise TaskError(
            f"there is no task {name!r}: the built-in ones are {', '.join(NAMES)}; your own is FILE.py:FUNCTION"
        )
    module = _load_file(Path(where)) if where.endswith(".py") else _load_module(where)
    found = getattr(module, function, None)
    if not callable(found):
        own = [value for value in vars(module).values() if inspect.isfunction(value)]
        names = [value.__name__ for value in own if value.__module__ == module.__name__]
        raise TaskError(f"{where} has no function {function!r}; it has {', '.join(names) or 'none'}")
    return found  # type: ignore[no-any-return]


def check_early(name: str, parameters: dict[str, Any]) -> None:
    """Refuse what can be refused without loading torch. Raises TaskError or ParameterError."""
    where, colon, _ = name.rpartition(":")
    if name in NAMES:
        convert(find(name), parameters)
    elif not colon:
        find(name)
    elif where.endswith(".py") and not Path(where).is_file():
        raise TaskError(f"there is no file {where}")


def folder_of(name: str) -> Path:
    """Return the folder of a task's file, or the present one for other tasks."""
    where = name.rpartition(":")[0]
    return Path(where).resolve().parent if where.endswith(".py") else Path.cwd()


def user_line(error: BaseException) -> str:
    """Return where in the user's code an error came from: the innermost line that is no library's."""
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        path = Path(frame.filename)
        if sources.users(path):
            return f"{path.name}:{frame.lineno}"
    return ""


def refusal(error: BaseException) -> bool:
    """Say whether an error is a ValueError that the user's own code raised itself, and no library on its behalf."""
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, ValueError) and bool(frames) and sources.users(Path(frames[-1].filename))


def _functions_of(path: Path) -> str:
    """Say which functions of a file can be named: those that return a Task, or else all; the file is not imported."""
    if not path.is_file():
        return f"there is no file {path}"
    try:
        lines = ast.parse(path.read_bytes()).body
    except (SyntaxError, ValueError, OSError):
        lines = []
    found = [line for line in lines if isinstance(line, ast.FunctionDef) and not line.name.startswith("_")]
    tasks = [line for line in found if line.returns and ast.unparse(line.returns).strip("'\"").endswith("Task")]
    names = [line.name for line in tasks or found] or ["FUNCTION"]
    return f"name a function: {choices([f'{path}:{name}' for name in names])}"


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise TaskError(f"there is no file {path}")
    path = path.resolve()
    if path.stem in sys.stdlib_module_names or path.stem in ("torch", "numpy", "stoker"):
        raise TaskError(f"{path.name} hides the module {path.stem!r} from everything that imports it: rename the file")
    package = _package_of(path)
    if package is not None:
        return _load_module(package[1], package[0], path.parent)
    # Its folder comes first, as with `python FILE.py`: the file's own engine.py and utils.py are found.
    sources.begin(path.parent)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Under its own name, so that DataLoader workers and pickles find its classes.
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[path.stem]
        if isinstance(error, ImportError) and "relative import" in str(error):
            # A package without an __init__.py.
            return _load_module(f"{path.parent.name}.{path.stem}", path.parent.parent)
        raise TaskError(f"{path.name} cannot be loaded: {describe(error)}") from error
    return module


def _package_of(path: Path) -> tuple[Path, str] | None:
    """Return (folder to import from, dotted name) of a file inside a package, so that relative imports work."""
    parts = [path.stem]
    folder = path.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    return (folder, ".".join(parts)) if len(parts) > 1 else None


def _load_module(name: str, *folders: Path) -> ModuleType:
    sources.begin(*folders or (Path.cwd(),))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise TaskError(f"there is no module {name!r} here or among the installed packages") from error
        raise TaskError(f"{name} cannot be loaded: {describe(error)}") from error
    except (Exception, SystemExit) as error:
        raise TaskError(f"{name} cannot be loaded: {describe(error)}") from error


def describe(error: BaseException) -> str:
    """Return an error as one line, with the user's line that it came from."""
    if isinstance(error, SyntaxError):
        return f"{error.msg} ({Path(error.filename or '').name}:{error.lineno})"
    where = user_line(error)
    text = str(error).strip().partition("\n")[0]
    if WORKER in str(error):
        # A DataLoader worker's error carries its traceback as text.
        lines = [Path(file).name + ":" + line for file, line in PLACE.findall(str(error)) if sources.users(Path(file))]
        where, text = lines[-1] if lines else where, str(error).strip().rpartition("\n")[2].partition(": ")[2]
    return f"{type(error).__name__}: {text}" + (f" ({where})" if where else "")
