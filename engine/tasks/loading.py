"""Find the function of a task by its name or file."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ..config.fields import join_or
from ..errors import TaskError
from .builtin import TASK_NAMES
from .imports import isolate
from .parameters import convert
from .task import Task
from .user_errors import one_line


def find_task(name: str) -> Callable[..., Task]:
    """Return the function of a task: a built-in name, `FILE.py:FUNCTION`, or `module:function`.

    Built-in tasks are found without importing torch; a user's file imports whatever it imports. Raises TaskError if
    there is no such task, or its file cannot be loaded.
    """
    if name in TASK_NAMES:
        return getattr(importlib.import_module(f".builtin.{name}", __package__), name)  # type: ignore[no-any-return]
    where, colon, function = name.rpartition(":")
    if not colon and name.endswith(".py"):
        raise TaskError(_name_a_function(Path(name)))
    if not colon:
        raise TaskError(
            f"there is no task {name!r}: the built-in ones are {', '.join(TASK_NAMES)}; your own is FILE.py:FUNCTION"
        )
    module = _load_file(Path(where)) if where.endswith(".py") else _load_module(where)
    found = getattr(module, function, None)
    if not callable(found):
        own = [value for value in vars(module).values() if inspect.isfunction(value)]
        names = [value.__name__ for value in own if value.__module__ == module.__name__]
        raise TaskError(f"{where} has no function {function!r}; it has {', '.join(names) or 'none'}")
    return found  # type: ignore[no-any-return]


def check_early(name: str, parameters: dict[str, Any]) -> None:
    """Refuse a wrong task name or parameter, as far as that is possible without importing torch.

    Raises TaskError or ParameterError.
    """
    where, colon, _ = name.rpartition(":")
    if name in TASK_NAMES:
        convert(find_task(name), parameters)
    elif not colon:
        find_task(name)
    elif where.endswith(".py") and not Path(where).is_file():
        raise TaskError(f"there is no file {where}")


def folder_of(name: str) -> Path:
    """Return the folder of the task's file; for other tasks the current folder."""
    where = name.rpartition(":")[0]
    return Path(where).resolve().parent if where.endswith(".py") else Path.cwd()


def _name_a_function(path: Path) -> str:
    """Return an error that lists the file's functions: those annotated as Task, or else all. Does not import it."""
    if not path.is_file():
        return f"there is no file {path}"
    try:
        body = ast.parse(path.read_bytes()).body
    except (SyntaxError, ValueError, OSError):
        body = []
    found = [node for node in body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    tasks = [node for node in found if node.returns and ast.unparse(node.returns).strip("'\"").endswith("Task")]
    names = [node.name for node in tasks or found] or ["FUNCTION"]
    return f"name a function: {join_or([f'{path}:{name}' for name in names])}"


def _load_file(path: Path) -> ModuleType:
    """Import a user's file, as part of its package if it is in one. Raises TaskError."""
    if not path.is_file():
        raise TaskError(f"there is no file {path}")
    path = path.resolve()
    if path.stem in sys.stdlib_module_names or path.stem in ("torch", "numpy", "stoker"):
        raise TaskError(f"{path.name} hides the module {path.stem!r} from everything that imports it: rename the file")
    package = _package_of(path)
    if package is not None:
        return _load_module(package[1], package[0], path.parent)
    # Its folder comes first, as with `python FILE.py`: the file's own engine.py and utils.py are found.
    isolate(path.parent)
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
        raise TaskError(f"{path.name} cannot be loaded: {one_line(error)}") from error
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
    """Import a module by its dotted name from `folders`, or else the current folder. Raises TaskError."""
    isolate(*folders or (Path.cwd(),))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise TaskError(f"there is no module {name!r} here or among the installed packages") from error
        raise TaskError(f"{name} cannot be loaded: {one_line(error)}") from error
    except (Exception, SystemExit) as error:
        raise TaskError(f"{name} cannot be loaded: {one_line(error)}") from error
