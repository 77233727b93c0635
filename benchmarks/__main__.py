"""`python -m benchmarks NAME [OPTION ...]`: one benchmark a file; prints a table and writes results/NAME.json.

`all` runs those that the table of docs/benchmarks.md needs, `table` prints that table, and no name lists them all.
"""

from __future__ import annotations

import ast
import importlib
import json
import signal
import sys
from pathlib import Path

from rich.console import Console

from . import report, together
from .measure import Failed, context

HERE = Path(__file__).parent


def benchmarks() -> dict[str, str]:
    """Return the benchmarks, each with the first line that it says of itself."""
    found = {}
    for path in sorted(HERE.glob("[!_]*.py")):
        tree = ast.parse(path.read_text())
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def main(arguments: list[str]) -> int:
    """Do what is named first; what follows is the benchmark's own. Returns an exit code."""
    name, *rest = arguments or ["list"]
    known = benchmarks()
    if name == "all":
        return together.run_all()
    if name == "table":
        print(report.markdown(report.results()))
        return 0
    if name not in known:
        out = sys.stdout if name == "list" else sys.stderr
        print(f"python -m benchmarks NAME [--help] | all | table\n\n{report.listed(known)}", file=out)
        return 0 if name == "list" else 2
    # So that what it started ends with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        told = context()
        result = {"benchmark": name, **told, "figures": importlib.import_module(f"{__package__}.{name}").main(rest)}
    except (Failed, TimeoutError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    Console().print(report.table(result))
    report.RESULTS.mkdir(exist_ok=True)
    (report.RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
