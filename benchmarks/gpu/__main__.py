"""`python -m benchmarks.gpu PART DEVICE [quick]` measures one part in this process, and prints its figures as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import exactness, memory, steps, trainings
from .options import Options

PARTS: dict[str, Callable[[Options], dict[str, Any]]] = {
    "exact": exactness.exact,
    "steps": steps.steps,
    "release": memory.release,
    "save": memory.save,
    "several": steps.several,
    "mnist": trainings.mnist,
    "dashboard": trainings.dashboard,
}

if __name__ == "__main__":
    part, where, *more = sys.argv[1:]
    found = exactness.resume(Path(where)) if part == "resume" else PARTS[part](Options(where, "quick" in more))
    print(json.dumps(found))
