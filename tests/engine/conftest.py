"""What the engine's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from forge import Forge


@pytest.fixture(scope="session")
def forge() -> Iterator[Forge]:
    """A process that forks runs; one for the whole test session."""
    server = Forge()
    yield server
    server.close()
