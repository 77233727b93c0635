"""The machine's panel: what was measured, and nothing else."""

from __future__ import annotations

import os
import threading
import time

import psutil

from stoker.tui.state.run_view import RunView
from stoker.tui.state.system_stats import Machine, Reading
from stoker.tui.widgets.system_panel import MachinePanel

READ = Machine.read  # before the fixture that makes every machine the same one


def test_how_busy_it_is_takes_two_readings() -> None:
    """The first has nothing to measure from; the second may be made in another thread."""
    machine, found = Machine(), []
    first = READ(machine, os.getpid())
    assert first.cpu is None and first.own_cpu is None and first.own_memory
    busy_until = time.process_time() + 0.1
    while time.process_time() < busy_until:
        pass
    thread = threading.Thread(target=lambda: found.append(READ(machine, os.getpid())))
    thread.start()
    thread.join()
    assert 0 < found[0].cpu <= 1 and found[0].own_cpu > 0
    other = READ(machine, psutil.Process().ppid())
    assert other.own_cpu is None and other.own_memory


def test_what_was_not_measured_is_no_0() -> None:
    """Neither of the machine nor of the training."""
    panel = MachinePanel(id="machine")
    panel._reading = Reading(None, 8_000_000_000, 16_000_000_000, None, 300_000_000)
    cpu, _, training = (
        "".join(text for text, _ in row).split() for row in panel.rows(RunView("a run"), time.time(), 40)
    )
    assert (cpu[0], cpu[-1]) == ("CPU", "–")
    assert training == ["training", "–", "of", "a", "core", "300", "MB"]
    panel._reading = Reading(0.0, 8_000_000_000, 16_000_000_000, 0.0, 300_000_000)
    cpu, _, training = (
        "".join(text for text, _ in row).split() for row in panel.rows(RunView("a run"), time.time(), 40)
    )
    assert cpu[-1] == training[1] == "0%"
