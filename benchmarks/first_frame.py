"""How long `stoker run` takes to its first frame, which is there before torch is loaded."""

from __future__ import annotations

import argparse
import tempfile
from typing import Any

from .measure import told
from .terminal import Terminal


def main(arguments: list[str]) -> dict[str, Any]:
    """Return seconds from the start of the process until the dashboard stands on the screen, still loading torch."""
    parser = argparse.ArgumentParser(prog="first_frame", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    given = parser.parse_args(arguments)
    seconds = []
    with tempfile.TemporaryDirectory() as place:
        for _ in range(given.rounds):
            with Terminal(["run", "iris", "--runs", place]) as terminal:
                stood = terminal.wait_for(
                    lambda rows: "loading" in rows[0] and any("early stopping" in row for row in rows)
                )
                seconds.append(stood - terminal.began)
    # The first one also reads the program from the disk.
    return {"first_seconds": round(seconds[0], 3), "seconds": told(seconds[1:] or seconds)}
