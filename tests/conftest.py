"""What the tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stoker.engine import runs
from stoker.engine.runs import RunFolder

# So that a test never waits for a second thread on a busy machine, in children too.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A fresh run folder of the task iris."""
    return runs.create(tmp_path / "runs", "iris", "one", {"parameters": {}, "given": {}})
