"""What the tests share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stoker.engine.runs import folder as runs
from stoker.engine.runs.folder import RunFolder
from tests.support.process_runner import Forge

# So that a test never waits for a second thread on a busy machine, in children too.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What the person who runs the tests has chosen is neither looked at nor changed.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="stoker-tests-")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A fresh run folder of the task iris."""
    return runs.create(tmp_path / "runs", "iris", "one", {"parameters": {}, "given": {}})


@pytest.fixture(scope="session")
def forge() -> Iterator[Forge]:
    """A process that forks runs; one for the whole test session."""
    server = Forge()
    yield server
    server.close()
