"""Time from `stoker run` to its first frame, which is drawn before torch is loaded."""

from __future__ import annotations

import argparse
import tempfile
from typing import Any

from ..harness.measure import summary
from ..harness.terminal import Terminal


def main(arguments: list[str]) -> dict[str, Any]:
    """Return seconds from the start of the process until the panels are drawn, with the state still `loading`."""
    parser = argparse.ArgumentParser(prog="first_frame", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="number of starts")
    options = parser.parse_args(arguments)
    seconds = []
    with tempfile.TemporaryDirectory() as runs_folder:
        for _ in range(options.rounds):
            with Terminal(["run", "iris", "--runs", runs_folder]) as terminal:
                drawn_at = terminal.wait_for(
                    lambda rows: "loading" in rows[0] and any("early stopping" in row for row in rows)
                )
                seconds.append(drawn_at - terminal.started_at)
    # The first start also reads the program from the disk, so it is reported separately.
    return {"first_seconds": round(seconds[0], 3), "seconds": summary(seconds[1:] or seconds)}
