"""The options of every command that opens a screen: which characters, and how often it is drawn."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
ASCII = "stoker.ascii"
SLOW_FPS = "4"


def display_options(command: F) -> F:
    """Add --ascii and --slow."""
    for name, act, text in (
        ("--slow", _slow, "For a slow connection: fewer redraws, curves once a second."),
        ("--ascii", _ascii, "Plain ASCII instead of lines and braille; by itself where the locale is not UTF-8."),
    ):
        command = click.option(name, is_flag=True, expose_value=False, callback=act, help=text)(command)
    return command


def ascii_asked() -> bool:
    """Say whether --ascii was given to the command under way."""
    return bool(click.get_current_context().meta.get(ASCII))


def _ascii(context: click.Context, _option: click.Parameter, asked: bool) -> None:
    if asked:
        context.meta[ASCII] = True


def _slow(_context: click.Context, _option: click.Parameter, asked: bool) -> None:
    # Textual reads it when it is imported, which is later; who set it knows better.
    if asked:
        os.environ.setdefault("TEXTUAL_FPS", SLOW_FPS)
