"""README and docs are true: the files that they name exist, and their Python runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click import Group
from click.testing import CliRunner

from stoker.tui.cli.main import stoker

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
PATH = re.compile(r"`((?:engine|tui|tests|stoker|benchmarks|docs)/[\w./-]*)`")
LINK = re.compile(r"\]\((?!https?:)([\w./-]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_named_file_exists(page: Path) -> None:
    """Paths in backticks are those of the tree, links those beside the page."""
    text = page.read_text()
    missing = [name for name in PATH.findall(text) if not (ROOT / name).exists()]
    missing += [name for name in LINK.findall(text) if not (page.parent / name).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_named_command_and_option_exists(page: Path) -> None:
    """`stoker COMMAND` and `--option` in lines about stoker are those of its help."""
    assert isinstance(stoker, Group)
    helps = {name: CliRunner().invoke(stoker, [name, "--help"]).output for name in stoker.commands}
    known = "\n".join([CliRunner().invoke(stoker, ["--help"]).output, *helps.values()])
    for line in page.read_text().splitlines():
        for name in re.findall(r"`stoker ([a-z]+)\b", line):
            assert name in helps, line
        if "stoker " in line and not any(other in line for other in ("pip ", "pytest", "python", "#SBATCH", "git ")):
            for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line):
                assert option in known, line


def test_the_task_of_the_readme_trains(tmp_path: Path) -> None:
    """The block that shows a task of the user's own is a file that `stoker run` takes."""
    (block,) = (block for block in BLOCKS if block.startswith("# spirals.py"))
    (tmp_path / "spirals.py").write_text(block)
    command = [
        sys.executable,
        "-m",
        "stoker.tui",
        "run",
        "spirals.py:spirals",
        "hidden=8",
        "--epochs",
        "1",
        "--headless",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("completed at step")


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    """The block that shows the API, in a process of its own."""
    (block,) = (block for block in BLOCKS if "stoker.train(" in block)
    done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout and (tmp_path / "exports" / "metrics.csv").exists()
