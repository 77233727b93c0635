"""The command `stoker`: its group of subcommands and its exit codes. Nothing here imports torch or Textual."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from stoker.engine.errors import StokerError, error_line

from . import attach, begin, check, launch, log, report, status, train
from .options import display_options, runs_option
from .output import echo


@click.group(
    invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="stoker")
@runs_option
@display_options
@click.pass_context
def stoker(context: click.Context, runs_folder: Path) -> int:
    """Train PyTorch models and control the runs from the terminal. Without a command: open the list of runs."""
    if context.invoked_subcommand is not None:
        # `stoker --runs DIR COMMAND` means the same as `stoker COMMAND --runs DIR`.
        context.default_map = {context.invoked_subcommand: {"runs_folder": runs_folder}}
        return 0
    return launch.open_run_list(runs_folder) if launch.at_terminal() else report.print_runs(runs_folder)


for command in (
    begin.demo,
    begin.new,
    train.run,
    train.resume,
    check.check,
    attach.attach,
    attach.send,
    status.status,
    log.log,
    report.ls,
    report.tasks,
    report.compare,
    report.export,
    report.evaluate,
):
    stoker.add_command(command)


def main() -> None:
    """Run the command line and exit; an invalid request prints one line on stderr and exits with code 2."""
    try:
        code = stoker.main(standalone_mode=False)
    except click.exceptions.Exit as end:
        code = end.exit_code
    except click.Abort:
        code = 130
    except click.ClickException as error:
        echo(f"stoker: {error.format_message()}", err=True)
        code = 2
    except StokerError as error:
        echo(error_line(error), err=True)
        code = error.exit_code
    except BrokenPipeError:
        # The reader of our output is gone, and Python would raise the error again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 1
    except OSError as error:
        # A full or broken disk, or an output that cannot be written: one line, as for every other reason.
        echo(f"stoker: {f'{error.filename}: ' if error.filename else ''}{error.strerror or error}", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 1
    sys.exit(code or 0)
