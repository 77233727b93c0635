"""The settings in words, for the command line and the documentation."""

from __future__ import annotations

import dataclasses
from types import NoneType
from typing import Any, NamedTuple, get_args

from .fields import flag, join_or
from .settings import Settings, setting_types


class SettingRow(NamedTuple):
    """One setting in words, for the documentation."""

    name: str
    """Its name in `Task(settings={…})` and run.json."""
    option: str
    """Its option on the command line, with a placeholder for the value."""
    type: str
    """The kind of value: `whole number`, `number`, `text`, `yes or no`, or the choices."""
    default: str
    """The default of the project; a task may give another one."""
    help: str
    """The effect of the setting."""


def describe_settings() -> list[SettingRow]:
    """Return a row for each setting, in the order of the help page."""
    words: dict[Any, str] = {int: "whole number", float: "number", str: "text", bool: "yes or no"}
    rows = []
    for field in dataclasses.fields(Settings):
        type_ = setting_types()[field.name]
        type_ = next((member for member in get_args(type_) if member is not NoneType), type_)
        kind = join_or(field.metadata["choices"]) if field.metadata["choices"] else words[type_]
        kind += ", or none" if accepts_none(field.name) else ""
        default = "none" if field.default is None else str(field.default)
        option = f"{flag(field.name)} {field.metadata['metavar']}"
        if is_switch(field.name):
            option, default = f"{flag(field.name)} / --no-{flag(field.name)[2:]}", "yes" if field.default else "no"
        rows.append(SettingRow(field.name, option, kind, default, field.metadata["help"]))
    return rows


def accepts_none(name: str) -> bool:
    """Return whether the setting may be None: `none` on the command line."""
    return NoneType in get_args(setting_types()[name])


def is_switch(name: str) -> bool:
    """Return whether the setting is yes or no: `--name` or `--no-name` on the command line."""
    return setting_types()[name] is bool
