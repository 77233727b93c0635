"""What the tests of the dashboard share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from stoker.engine.runs import folder as runs
from stoker.engine.runs.folder import RunFolder
from stoker.tui.state.system_stats import Gpu, Machine, Reading
from tests.support.fake_engine import FakeEngine


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The log shows local times."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every machine is the same one."""
    gpu = Gpu("NVIDIA A100-SXM4-40GB", 0.87, 31_200_000_000, 42_900_000_000, 64, 287.0)
    reading = Reading(0.42, 21_400_000_000, 67_400_000_000, 3.1, 1_640_000_000, (gpu,))
    monkeypatch.setattr(Machine, "read", lambda self, pid: reading)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A new run folder."""
    return runs.create(tmp_path / "runs", "digits", "digits-recorded", {})


@pytest.fixture
def until() -> Callable[[Callable[[], object]], Awaitable[None]]:
    """Waits for a condition."""

    async def wait(condition: Callable[[], object], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true"
            await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """An engine that trains nothing."""
    return FakeEngine(monkeypatch)
