"""Time limits of the tests, scaled by `STOKER_TEST_TIME_SCALE` (a factor, default 1) for slow or busy machines."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

SCALE = float(os.environ.get("STOKER_TEST_TIME_SCALE", "1"))


def scaled(seconds: float) -> float:
    """Return a time limit in seconds, scaled for this machine."""
    return seconds * SCALE


def deadline(seconds: float) -> float:
    """Return the `time.monotonic()` value at which `seconds`, scaled for this machine, have passed."""
    return time.monotonic() + scaled(seconds)


def wait_until(condition: Callable[[], Any], description: str, seconds: float = 60.0) -> Any:
    """Wait until `condition` returns something true and return it; fail with `description` after `seconds`, scaled."""
    end = deadline(seconds)
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {scaled(seconds):g} s: {description}"
        time.sleep(0.002)
    return found
