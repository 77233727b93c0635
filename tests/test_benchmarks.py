"""Every benchmark runs, in a setting so small that its figures mean nothing."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks import __main__ as command
from benchmarks import process, report, targets, together
from benchmarks.measure import context, told
from benchmarks.terminal import Terminal
from stoker.engine import session

QUICK = {
    "first_frame": ["--rounds", "1"],
    "opening": ["--steps", "2000", "--rounds", "1"],
    "step_cost": ["--steps", "200", "--rounds", "1"],
}
SLOW = {
    "bytes": ["--seconds", "0.5", "--rounds", "1"],
    "idle": ["--steps", "1000", "--seconds", "0.5", "--rounds", "1"],
    "iris": ["--epochs", "5000", "--rounds", "1"],
    "kill_nine": ["--kills", "2"],
    "latency": ["--presses", "4", "--rounds", "1"],
    "memory": ["--steps", "2000", "--rounds", "1"],
    "peers": ["--epochs", "5", "--rounds", "1"],
    "profile_tick": ["--seconds", "1"],
    "save_wait": ["--megabytes", "64", "--saves", "1"],
    "unread": ["--epochs", "8000", "--rounds", "1"],
    "viewers": ["--only", "stoker", "--steps", "2000", "--seconds", "0.5", "--rounds", "1"],
}
MNIST = Path("MNIST", "raw", "train-images-idx3-ubyte")


def run(name: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return a benchmark's figures, which can be shown; those of its rows in the table are among them."""
    # Some put a task of their own in the place of the one that a run names; afterwards it is back.
    monkeypatch.setattr(session.loading, "find", session.loading.find)
    figures: dict[str, Any] = importlib.import_module(f"benchmarks.{name}").main(arguments)
    Console(quiet=True).print(report.table({"benchmark": name, **context(), "figures": figures}))
    if name != "opening":
        assert {row.figure for row in targets.ROWS if row.benchmark == name} <= set(figures)
    return figures


@pytest.mark.parametrize("name", QUICK)
def test_it_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The quick ones."""
    assert run(name, QUICK[name], monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_it_runs_in_its_own_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that load torch several times, or wait."""
    assert run(name, SLOW[name], monkeypatch)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_mnist_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """An epoch of it, where the data is there."""
    from stoker.engine.data.download import data_folder

    if not (data_folder() / MNIST).exists():
        pytest.skip("MNIST is not in $STOKER_DATA")
    assert run("mnist", ["--rounds", "1"], monkeypatch)


def test_every_benchmark_is_listed_and_tested(capsys: pytest.CaptureFixture[str]) -> None:
    """With a sentence each; the table's rows name no other."""
    known = command.benchmarks()
    assert set(known) == {*QUICK, *SLOW, "mnist"} >= {row.benchmark for row in targets.ROWS}
    assert all(line.endswith(".") for line in known.values())
    assert command.main([]) == 0
    assert capsys.readouterr().out.count("\n") == len(known) + 2
    assert command.main(["nothing"]) == 2


def test_what_is_told_of_several_measurements() -> None:
    """Median and range."""
    assert told([3.0, 1.0, 2.0]) == {"median": 2.0, "min": 1.0, "max": 3.0, "times": 3}


def test_the_table_says_what_was_reached() -> None:
    """Or that it was not, or not measured; peers stand beside it, with what stoker came to when they were measured."""
    here = context()
    found = {
        "first_frame": {"figures": {"seconds": told([0.5, 0.7, 0.55])}, **here},
        "step_cost": {"figures": {"microseconds": told([12.0])}, **here},
        "opening": {"figures": {"seconds_of_100000_steps": told([0.5])}, **here},
        "viewers": {
            "figures": {"steps": 1, **{name: {"seconds_to_open": told([3.0])} for name in ("stoker", "leet")}},
            **here,
        },
    }
    table = report.markdown(found)
    assert "| ≤ 0.6 s | 0.55 s (0.5–0.7) | yes |" in table
    assert "| ≤ 10 µs | 12 µs (12–12) | **no** |" in table
    both = "stoker 3.00 s (3.00–3.00), leet 3.00 s (3.00–3.00)"
    assert f"| the same curve, side by side: {both} | ≤ 1.0 s | 0.5 s (0.5–0.5) | yes |" in table
    assert "| not measured | – |" in table
    assert f"commit {here['commit']}" in table


def test_one_that_fails_or_hangs_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All are told of at the end."""
    rows = [targets.Row("", "", name, "", "") for name in ("no_such", "step_cost")]
    monkeypatch.setattr(together, "ROWS", rows)
    monkeypatch.setattr(together, "LONGEST", 0.5)
    assert together.run_all() == 1
    said = capsys.readouterr().out
    assert "no_such: failed" in said and "step_cost: stopped, it took too long," in said


def test_a_terminal_that_nobody_reads_is_closed_at_once() -> None:
    """Though its program stands in the middle of a write."""
    began = time.monotonic()
    endless = ["-c", "import sys\nwhile True: sys.stdout.write('x' * 10000)"]
    with Terminal(endless, read=False, program=sys.executable) as terminal:
        time.sleep(0.2)
    assert time.monotonic() - began < 5
    assert not process.family(terminal.process.pid)
