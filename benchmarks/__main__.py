"""`python -m benchmarks NAME [OPTION ...]`: one benchmark a file; prints a table and writes results/NAME.json."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from .measure import machine, table

HERE = Path(__file__).parent
SHARED = {"__init__", "__main__", "bare", "measure", "recorded", "terminal", "timed"}


def main(arguments: list[str]) -> int:
    """Run the benchmark that is named first; what follows is its own. Returns an exit code."""
    names = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in SHARED)
    if not arguments or arguments[0] not in names:
        print(f"python -m benchmarks NAME [--help]; NAME is one of {', '.join(names)}", file=sys.stderr)
        return 2
    name, *rest = arguments
    result = {"machine": machine(), **importlib.import_module(f"{__package__}.{name}").main(rest)}
    print(table(result))
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
