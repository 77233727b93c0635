"""Runs this program's other commands in a process of their own: the screens never load torch."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE

from stoker.engine.errors import RunError


async def output(*arguments: str) -> str:
    """Return what `stoker ARGUMENTS` prints. Raises RunError with its last words; whoever is cancelled ends it."""
    # A session of its own: ctrl+c and a hang-up are for the screen.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "stoker.tui", *arguments, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True
    )
    try:
        said, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        lines = complaints.decode(errors="replace").strip().splitlines()
        # A library may complain after our last words.
        ours = [line.removeprefix("stoker: ") for line in lines if line.startswith("stoker: ")] or lines
        raise RunError(ours[-1] if ours else f"it ended with code {process.returncode}")
    return said.decode(errors="replace")
