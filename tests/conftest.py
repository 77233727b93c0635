"""What the tests share."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from stoker.engine import runs
from stoker.engine.runs import RunFolder

# So that a test never waits for a second thread on a busy machine, in children too.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What the person who runs the tests has chosen is neither looked at nor changed.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="stoker-tests-")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A fresh run folder of the task iris."""
    return runs.create(tmp_path / "runs", "iris", "one", {"parameters": {}, "given": {}})
