"""Convert a task's parameters from the command line to the annotations of the task's function."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from ..config.fields import flag, join_or
from ..config.settings import Settings
from ..config.specs import literal
from ..errors import ParameterError

SEQUENCES = (list, tuple, set, frozenset)
RELATIVE = ("./", "../", "~/")  # beginnings of a text that is a path
INFERRED = (bool, int, float, str)
"""A parameter without an annotation has the type of its default, if that is one of these."""


def convert(function: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return every parameter of the task's `function` by name: the `given` ones converted, the others' defaults.

    A text such as `3`, `1,2,3`, `yes` or `none` is converted to the parameter's annotation. A parameter without one has
    the type of its default, if that is a number, bool or str. Raises ParameterError for an unknown name or a value that
    does not fit, with what to write instead.
    """
    signature = inspect.signature(function)
    name = getattr(function, "__name__", "task")
    try:
        hints = get_type_hints(function)
    except NameError as error:
        raise ParameterError(f"{name}: its annotations cannot be read: {error}") from error
    for key, value in given.items():
        if key not in signature.parameters:
            raise ParameterError(f"{name} has no parameter {key!r}{_suggestion(key, value, [*signature.parameters])}")
    values: dict[str, Any] = {}
    for key, parameter in signature.parameters.items():
        if key in given:
            kind = _kind(hints.get(key), parameter.default)
            try:
                parsed = _parse(_absolute(given[key]), kind)
                values[key] = msgspec.convert(parsed, kind, strict=False, dec_hook=_path)
            except msgspec.ValidationError as error:
                raise ParameterError(f"{name}: {key}={shorten(given[key])}{_wrong(key, kind, error)}") from error
        elif parameter.default is not inspect.Parameter.empty:
            default = parameter.default
            values[key] = default.absolute() if isinstance(default, Path) else default
        elif parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ParameterError(f"{name} needs {key}: give {key}=VALUE")
    return values


def shorten(value: Any, most: int = 60) -> str:
    """Return the value as text of at most `most` characters."""
    text = str(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def _absolute(value: Any) -> Any:
    """Return a text that is written as a path with its full path: the run may be resumed from another folder."""
    if isinstance(value, str) and value.startswith(RELATIVE):
        return str(Path(value).expanduser().absolute())
    return value


def _path(kind: Any, value: Any) -> Any:
    """Convert a text to a Path, which msgspec does not know. Raises TypeError for any other type."""
    if kind is Path and isinstance(value, str | Path):
        return Path(value).expanduser().absolute()
    raise TypeError(f"`{getattr(kind, '__name__', kind)}` is not a type of parameters")


def _kind(hint: Any, default: Any) -> Any:
    """Return the type that a parameter's values must have."""
    if hint is None:
        return type(default) if type(default) in INFERRED else Any
    return Union[hint, None] if default is None else hint  # noqa: UP007 - a hint may be no class


def _parse(value: Any, kind: Any) -> Any:
    """Parse a text if `kind` is a Literal, bool, a sequence, or may be None; return any other value unchanged."""
    if not isinstance(value, str):
        return value
    kinds = _members(kind)
    if NoneType in kinds and value.lower() in ("none", "null"):
        return None
    for choice in _choices(kind):
        if str(choice) == value:
            return choice
    if bool in kinds and isinstance(truth := literal(value), bool):
        return truth
    if str not in kinds and _sequence(kind):
        return [part.strip() for part in value.strip(" []()").split(",") if part.strip()]
    return value


def _members(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _choices(kind: Any) -> list[Any]:
    return [value for member in _members(kind) if get_origin(member) is Literal for value in get_args(member)]


def _sequence(kind: Any) -> bool:
    return any((get_origin(member) or member) in SEQUENCES for member in _members(kind))


def _wrong(key: str, kind: Any, error: Exception) -> str:
    """Return the end of an error message: why the value does not fit, and what to write."""
    if allowed := _choices(kind):
        return f": choose {join_or([*allowed, *(['none'] if NoneType in _members(kind) else [])])}"
    shown = kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind).replace("typing.", "")
    example = f", write it as in {key}=1,2,3" if _sequence(kind) else ""
    return f" is not of type {shown} ({error}){example}"


def _suggestion(key: str, value: Any, known: list[str]) -> str:
    """Return the end of an error message for an unknown name: the setting or the similar name that was meant."""
    settings = [field.name for field in fields(Settings)]
    name = key.replace("-", "_")
    if name in settings:
        return f": it is a setting, write {_option(name, value)}"
    has = f"; it has {', '.join(known) or 'none'}"
    near = difflib.get_close_matches(name, [*known, *settings], n=1, cutoff=0.75)
    if not near:
        return has
    return f": did you mean {near[0] if near[0] in known else _option(near[0], value)}?{has[1:]}"


def _option(name: str, value: Any) -> str:
    if isinstance(getattr(Settings, name), bool):
        return flag(name) if literal(str(value)) is not False else f"--no-{flag(name)[2:]}"
    return f"{flag(name)} {shorten(value)}"
