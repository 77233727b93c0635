"""`python -m benchmarks NAME [OPTION ...]` runs one benchmark, prints its table and writes results/NAME.json.

`all` runs the benchmarks that the table of the README needs, and `table` prints that table.
Without a name the program lists all benchmarks.
"""

from __future__ import annotations

import ast
import importlib
import json
import signal
import sys
from pathlib import Path

from rich.console import Console

from .harness import report, run_all
from .harness.measure import BenchmarkError, context

CASES = Path(__file__).parent / "cases"


def benchmarks() -> dict[str, str]:
    """Return the name of each benchmark with the first line of its docstring.

    The files are parsed, not imported: most of them load torch.
    """
    docs = {path.stem: ast.get_docstring(ast.parse(path.read_text())) for path in sorted(CASES.glob("[!_]*.py"))}
    return {name: (doc or "").partition("\n")[0] for name, doc in docs.items()}


def main(arguments: list[str]) -> int:
    """Run the command that `arguments[0]` names and return its exit code; a benchmark gets the other arguments."""
    name, *options = arguments or ["list"]
    known = benchmarks()
    if name == "all":
        return run_all.run_all()
    if name == "table":
        print(report.markdown(report.results()))
        return 0
    if name not in known:
        out = sys.stdout if name == "list" else sys.stderr
        print(f"python -m benchmarks NAME [--help] | all | table\n\n{report.listed(known)}", file=out)
        return 0 if name == "list" else 2
    return run(name, options)


def run(name: str, options: list[str]) -> int:
    """Run one benchmark, print its figures and write them to its file of results; return an exit code."""
    # SystemExit unwinds the benchmark, which ends the processes that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        circumstances = context()  # taken before the benchmark, so that the load is that of the machine alone
        figures = importlib.import_module(f"{__package__}.cases.{name}").main(options)
    except (BenchmarkError, TimeoutError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 1)
    result = {"benchmark": name, **circumstances, "figures": figures}
    Console().print(report.table(result))
    report.RESULTS.mkdir(exist_ok=True)
    (report.RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
