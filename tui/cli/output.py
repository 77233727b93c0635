"""How the commands print: no text from a run can control the terminal.

The lines of a training without a dashboard go through `console/progress.py` and `console/streams.py`; with `--json`
they are the events of `engine/runs/events.py`.
"""

from __future__ import annotations

import click

from stoker.engine.text import printable, printable_lines


def echo(text: str, *, err: bool = False) -> None:
    """Print `text` as one line on stdout, or with `err` on stderr."""
    click.echo(printable(text), err=err)


def echo_lines(text: str) -> None:
    """Print a table or JSON, whose newlines are those of its layout."""
    click.echo(printable_lines(text))
