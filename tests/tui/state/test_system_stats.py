"""The panel of the machine shows only measured values."""

from __future__ import annotations

import os
import threading
import time

import psutil

from stoker.tui.state.run_view import RunView
from stoker.tui.state.system_stats import SystemReading, SystemStats
from stoker.tui.widgets.system_panel import SystemPanel

READ = SystemStats.read  # the real function, before the fixture replaces it


def test_cpu_use_needs_two_readings() -> None:
    """CPU use needs a previous reading; the second reading may come from another thread."""
    machine, found = SystemStats(), []
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


def test_an_unmeasured_value_is_not_0() -> None:
    """An unknown use is a dash, not 0 %."""
    panel = SystemPanel(id="machine")
    panel._reading = SystemReading(None, 8_000_000_000, 16_000_000_000, None, 300_000_000)
    cpu, _, training = (
        "".join(text for text, _ in row).split() for row in panel.rows(RunView("a run"), time.time(), 40)
    )
    assert (cpu[0], cpu[-1]) == ("CPU", "–")
    assert training == ["training", "–", "of", "a", "core", "300", "MB"]
    panel._reading = SystemReading(0.0, 8_000_000_000, 16_000_000_000, 0.0, 300_000_000)
    cpu, _, training = (
        "".join(text for text, _ in row).split() for row in panel.rows(RunView("a run"), time.time(), 40)
    )
    assert cpu[-1] == training[1] == "0%"
