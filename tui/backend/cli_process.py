"""Runs commands of stoker in another process, so that the screens never import torch."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE

from stoker.engine.errors import RunError


async def run_command(*arguments: str) -> str:
    """Run `stoker ARGUMENTS` and return its output on stdout. Cancelling kills the process.

    Raises RunError with the last line of its stderr if it fails.
    """
    # -P: a module of the current folder must not hide one of Python's.
    # A new session: Ctrl+C and SIGHUP are meant for the screen, not for this process.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "stoker.tui",
        *arguments,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )
    try:
        stdout, stderr = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        lines = stderr.decode(errors="replace").strip().splitlines()
        # A library may print warnings after stoker's own error.
        ours = [line.removeprefix("stoker: ") for line in lines if line.startswith("stoker: ")] or lines
        raise RunError(ours[-1] if ours else f"`stoker {arguments[0]}` ended with exit code {process.returncode}")
    return stdout.decode(errors="replace")
