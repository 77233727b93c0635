"""Every benchmark runs, in a setting so small that its figures mean nothing."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks.measure import table, told

QUICK = {
    "step_cost": ["--steps", "200", "--rounds", "1"],
    "opening": ["--steps", "2000", "--rounds", "1"],
    "idle": ["--steps", "1000", "--seconds", "0.5", "--rounds", "1"],
    "bytes": ["--seconds", "0.5", "--rounds", "1"],
}
SLOW = {
    "first_frame": ["--rounds", "1"],
    "iris": ["--epochs", "400", "--rounds", "1"],
    "latency": ["--presses", "4"],
    "memory": ["--steps", "2000", "--rounds", "1"],
    "peers": ["--epochs", "5", "--rounds", "1"],
    "unread": ["--epochs", "2000", "--rounds", "1"],
}


def run(name: str, arguments: list[str]) -> dict[str, Any]:
    """Return a benchmark's result, which can be shown."""
    result: dict[str, Any] = importlib.import_module(f"benchmarks.{name}").main(arguments)
    assert len(table(result).splitlines()) > 1
    return result


@pytest.mark.parametrize("name", QUICK)
def test_it_runs(name: str) -> None:
    """The quick ones."""
    assert run(name, QUICK[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_it_runs_in_its_own_time(name: str) -> None:
    """Those that load torch several times."""
    assert run(name, SLOW[name])


@pytest.mark.slow
@pytest.mark.skipif("STOKER_DATA" not in os.environ, reason="MNIST is looked for in $STOKER_DATA")
def test_mnist_runs() -> None:
    """An epoch of it."""
    if not (Path(os.environ["STOKER_DATA"]) / "MNIST").is_dir():
        pytest.skip("MNIST is not in $STOKER_DATA")
    assert run("mnist", ["--rounds", "1"])


def test_what_is_told_of_several_measurements() -> None:
    """Median and range."""
    assert told([3.0, 1.0, 2.0]) == {"median": 2.0, "min": 1.0, "max": 3.0, "times": 3}
