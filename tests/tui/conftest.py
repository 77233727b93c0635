"""Fixtures that the tests of the dashboard share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from stoker.engine.runs import folder as runs
from stoker.engine.runs.folder import RunFolder
from stoker.tui.state.gpu_stats import Gpu
from stoker.tui.state.system_stats import SystemReading, SystemStats
from tests.support.deadlines import deadline, scaled
from tests.support.fake_engine import FakeEngine


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Use UTC, because the log shows local times."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the machine's readings by fixed ones."""
    gpu = Gpu("NVIDIA A100-SXM4-40GB", 0.87, 31_200_000_000, 42_900_000_000, 64, 287.0)
    reading = SystemReading(0.42, 21_400_000_000, 67_400_000_000, 3.1, 1_640_000_000, (gpu,))
    monkeypatch.setattr(SystemStats, "read", lambda self, *_: reading)


@pytest.fixture
def run_folder(tmp_path: Path) -> RunFolder:
    """A new run folder."""
    return runs.create(tmp_path / "runs", "digits", "digits-recorded", {})


@pytest.fixture
def wait_until() -> Callable[[Callable[[], object]], Awaitable[None]]:
    """Return a function that waits until a condition is true."""

    async def wait(condition: Callable[[], object], seconds: float = 20.0) -> None:
        end = deadline(seconds)
        while not condition():
            assert time.monotonic() < end, f"the condition was not true within {scaled(seconds):g} s"
            await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """An engine that emits events without training; it ends with the test, also with one that failed."""
    engine = FakeEngine(monkeypatch)
    yield engine
    engine.close()
