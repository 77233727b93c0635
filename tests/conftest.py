"""Fixtures and settings that all tests share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stoker.engine.runs import folder as runs
from stoker.engine.runs.folder import RunFolder
from tests.support.deadlines import scaled
from tests.support.process_runner import ProcessRunner

# With one thread a test never waits for a second thread on a busy machine; child processes inherit the setting.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The tests neither read nor write the preferences of the user who runs them.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="stoker-tests-")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Scale the time limit of every test by `STOKER_TEST_TIME_SCALE`."""
    default = float(config.getini("timeout") or 0)
    for item in items:
        marker = item.get_closest_marker("timeout")
        seconds = float(marker.args[0]) if marker and marker.args else default
        if scaled(seconds) != seconds:
            item.add_marker(pytest.mark.timeout(scaled(seconds)), append=False)


@pytest.fixture
def run_folder(tmp_path: Path) -> RunFolder:
    """A new run folder of the task iris."""
    return runs.create(tmp_path / "runs", "iris", "one", {"parameters": {}, "given": {}})


@pytest.fixture(scope="session")
def process_runner() -> Iterator[ProcessRunner]:
    """A process that forks runs, started once for the whole test session."""
    runner = ProcessRunner()
    yield runner
    runner.close()
