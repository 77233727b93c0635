"""The options that several commands share; those for settings are made from the fields of Settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click

from stoker.engine.config.describe import accepts_none, is_switch
from stoker.engine.config.fields import flag
from stoker.engine.config.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])
ASCII_KEY = "stoker.ascii"  # key in the `meta` of click's context: --ascii was given
SLOW_FPS = "4"  # frames a second with --slow

runs_option = click.option(
    "--runs",
    "runs_folder",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    metavar="DIR",
    help="Folder of the runs.",
    show_default=True,
)
headless_option = click.option("--headless", is_flag=True, help="Print plain lines instead of the dashboard.")
# output.py says where each command's fields are defined.
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def display_options(command: F) -> F:
    """Add --ascii and --slow to a click command that opens a screen."""
    for name, callback, text in (
        ("--slow", _slow, "For a slow connection: fewer redraws, and curves once a second."),
        ("--ascii", _ascii, "Use ASCII instead of lines and braille (the default if the locale is not UTF-8)."),
    ):
        command = click.option(name, is_flag=True, expose_value=False, callback=callback, help=text)(command)
    return command


def ascii_given() -> bool:
    """Return whether the running command was given --ascii."""
    return bool(click.get_current_context().meta.get(ASCII_KEY))


def setting_options(command: F) -> F:
    """Add an option for every setting to a click command; an option that is not given is None."""
    for field in reversed(fields(Settings)):
        name, text = field.name, field.metadata["help"]
        if is_switch(name):
            # Both ways, because a task's own default may be either.
            command = click.option(f"{flag(name)}/--no-{flag(name)[2:]}", name, default=None, help=text)(command)
        else:
            command = click.option(flag(name), name, metavar=field.metadata["metavar"], help=text)(command)
    return command


def given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the settings among the options of a command that were given; 'none' becomes None where it is allowed."""
    names = [field.name for field in fields(Settings)]
    found = {name: options[name] for name in names if options.get(name) is not None}
    if "data" in found:
        # Absolute, because a run can be resumed from another folder.
        found["data"] = str(Path(found["data"]).expanduser().resolve())
    return {name: None if value == "none" and accepts_none(name) else value for name, value in found.items()}


def _ascii(context: click.Context, _option: click.Parameter, given: bool) -> None:
    if given:
        context.meta[ASCII_KEY] = True


def _slow(_context: click.Context, _option: click.Parameter, given: bool) -> None:
    # Textual reads the variable when it is imported, which is later. A value that the user has set stays.
    if given:
        os.environ.setdefault("TEXTUAL_FPS", SLOW_FPS)
