"""The command `stoker check`: try a task before it is trained for days."""

from __future__ import annotations

import json
from typing import Any

import click

from stoker.engine.config.settings import Settings
from stoker.engine.tasks import loading

from .arguments import absolute_task, parameter_values
from .options import given, json_option, setting_options
from .output import echo, echo_lines

MARKS = {"misfit": "does not fit: ", "inexact": "not exact: ", "note": "note: "}


@click.command()
@click.argument("task")
@click.argument("parameters", nargs=-1, metavar="[PARAM=VALUE]...")
@click.option(
    "--resume",
    is_flag=True,
    help="Also train a few batches, save, resume in a new process, and compare the bits with a training in one go.",
)
@setting_options
@json_option
def check(task: str, parameters: tuple[str, ...], resume: bool, as_json: bool, **options: Any) -> int:
    """Try one batch of training and one of evaluation of TASK, and say what does not fit or is not exact.

    Exit code 0 if nothing was found, 1 if something was, 2 for a wrong request.
    """
    values = parameter_values(parameters)
    settings = given(options)
    Settings.of(settings)
    loading.check_early(task, values)
    from stoker.engine.doctor.check import check as check_task

    report = check_task(absolute_task(task), values, settings, resume=resume)
    if as_json:
        findings = [{"kind": finding.kind, "message": finding.message} for finding in report.findings]
        plain = {"task": report.task, "exact": report.exact, "compared": report.compared, "batches": report.batches}
        echo_lines(json.dumps({**plain, "findings": findings, "conclusion": report.conclusion()}, indent=2))
    else:
        for finding in report.findings:
            echo(f"{MARKS[finding.kind]}{finding.message}")
        echo(report.conclusion())
    return 0 if report.exact else 1
