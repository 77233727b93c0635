"""Every benchmark runs; here with options so small that its figures mean nothing."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from benchmarks import __main__ as command
from benchmarks.harness import process_family, report, run_all, targets
from benchmarks.harness.measure import context, summary
from benchmarks.harness.terminal import Terminal
from stoker.engine.tasks import loading
from tests.support.deadlines import scaled

FAST = {
    "first_frame": ["--rounds", "1"],
    "opening": ["--steps", "2000", "--rounds", "1"],
    "step_cost": ["--steps", "200", "--rounds", "1"],
}
SLOW = {
    "gpu": ["--device", "cpu", "--quick"],
    "idle": ["--steps", "1000", "--seconds", "0.5", "--rounds", "1"],
    "iris": ["--epochs", "5000", "--rounds", "1"],
    "kill_nine": ["--kills", "2"],
    "latency": ["--presses", "4", "--rounds", "1"],
    "memory": ["--steps", "2000", "--rounds", "1"],
    "peers": ["--epochs", "5", "--rounds", "1"],
    "profile_tick": ["--seconds", "1"],
    "save_wait": ["--megabytes", "64", "--saves", "1"],
    "terminal_bytes": ["--seconds", "0.5", "--rounds", "1"],
    "unread": ["--epochs", "8000", "--rounds", "1"],
    "viewers": ["--only", "stoker", "--steps", "2000", "--seconds", "0.5", "--rounds", "1"],
}
MNIST_FILE = Path("MNIST", "raw", "train-images-idx3-ubyte")


def run(name: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run a benchmark; check that its result can be printed and has the figures of its rows in the table."""
    # Some benchmarks replace this function by one that returns their own task; monkeypatch restores it.
    monkeypatch.setattr(loading, "find_task", loading.find_task)
    figures: dict[str, Any] = importlib.import_module(f"benchmarks.cases.{name}").main(arguments)
    Console(quiet=True).print(report.table({"benchmark": name, **context(), "figures": figures}))
    if name != "opening":
        assert {row.figure for row in targets.ROWS if row.benchmark == name} <= set(figures)
    return figures


@pytest.mark.parametrize("name", FAST)
def test_fast_benchmark_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fast benchmark returns figures."""
    assert run(name, FAST[name], monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_slow_benchmark_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark that loads torch several times, or waits, returns figures."""
    assert run(name, SLOW[name], monkeypatch)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_mnist_benchmark_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """One epoch of MNIST returns figures, if the data is on this machine."""
    from stoker.engine.data.download import data_folder

    if not (data_folder() / MNIST_FILE).exists():
        pytest.skip("MNIST is not in $STOKER_DATA")
    assert run("mnist", ["--rounds", "1"], monkeypatch)


def test_every_benchmark_is_listed_with_a_sentence_and_tested_here(capsys: pytest.CaptureFixture[str]) -> None:
    """The list, this file and the rows of the table name the same benchmarks."""
    known = command.benchmarks()
    assert set(known) == {*FAST, *SLOW, "mnist"} >= {row.benchmark for row in targets.ROWS}
    assert all(line.endswith(".") for line in known.values())
    assert command.main([]) == 0
    assert capsys.readouterr().out.count("\n") == len(known) + 2
    assert command.main(["nothing"]) == 2


def test_benchmark_of_a_gpu_needs_one(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a GPU the benchmark says so in one sentence and ends with 2."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert command.main(["gpu"]) == 2
    said = capsys.readouterr()
    assert said.err == "gpu: torch finds no CUDA device on this machine, so nothing was measured\n" and not said.out


def test_results_are_named_after_their_benchmarks() -> None:
    """Every file of results belongs to a benchmark of that name."""
    found = report.results()
    assert set(found) <= set(command.benchmarks())
    assert all(result["benchmark"] == name for name, result in found.items())


def test_summary_holds_median_and_range() -> None:
    """The summary of three measurements holds median, minimum, maximum and their number."""
    assert summary([3.0, 1.0, 2.0]) == {"median": 2.0, "min": 1.0, "max": 3.0, "times": 3}


def test_table_shows_which_targets_are_met() -> None:
    """A target is met, not met or not measured; the figures of peers stand beside it."""
    here = context()
    found = {
        "first_frame": {"figures": {"seconds": summary([0.5, 0.7, 0.55])}, **here},
        "step_cost": {"figures": {"microseconds": summary([12.0])}, **here},
        "opening": {"figures": {"seconds_of_100000_steps": summary([0.5])}, **here},
        "viewers": {
            "figures": {"steps": 1, **{name: {"seconds_to_open": summary([3.0])} for name in ("stoker", "leet")}},
            **here,
        },
    }
    table = report.markdown(found)
    assert table.startswith("| what | measured against | target | median (min–max) | met |\n| --- |")
    assert "| ≤ 0.6 s | 0.55 s (0.5–0.7) | yes |" in table
    assert "| ≤ 10 µs | 12 µs (12–12) | **no** |" in table
    both = "stoker 3.00 s (3.00–3.00), leet 3.00 s (3.00–3.00)"
    assert f"| the same curve, side by side: {both} | ≤ 1.0 s | 0.5 s (0.5–0.5) | yes |" in table
    assert "| not measured | – |" in table
    assert f"commit {here['commit']}" in table


def test_failing_and_hanging_benchmarks_do_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The outcome of every benchmark is printed at the end."""
    rows = [targets.Row("", "", name, "", "") for name in ("no_such", "step_cost")]
    monkeypatch.setattr(run_all, "ROWS", rows)
    monkeypatch.setattr(run_all, "TIME_LIMIT", 0.5)
    assert run_all.run_all() == 1
    printed = capsys.readouterr().out
    assert "no_such: failed after" in printed
    assert "step_cost: stopped: over the time limit after" in printed


def test_unread_terminal_closes_at_once() -> None:
    """A terminal that is never read closes at once, although its program is blocked in a write."""
    start = time.monotonic()
    endless = ["-c", "import sys\nwhile True: sys.stdout.write('x' * 10000)"]
    with Terminal(endless, read=False, program=sys.executable) as terminal:
        time.sleep(0.2)
    assert time.monotonic() - start < scaled(5)
    assert not process_family.family(terminal.process.pid)
