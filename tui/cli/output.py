"""How the commands print: no text from a run can control the terminal.

`--json` prints, for each command:

- `stoker run` and `resume`: each event, in `launch.train_here`; `engine/runs/events.py` defines the fields;
- `stoker ls` prints a `RunSummary` (`state/run_summary.py`), `stoker tasks` a row of `console/task_table.py`;
- `stoker evaluate` prints the result of `engine/evaluation/checkpoint_evaluation.py`.
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
