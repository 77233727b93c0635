"""The run folder of a script: made anew, or found again to resume."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any, Literal

from ..environment import git_commit, versions
from ..errors import RequestError, RunError
from ..runs.folder import RunFolder, create, find_run

Resume = Literal["never", "allow", "must"]


def open_folder(
    runs: Path, name: str | None, resume: Resume, config: dict[str, Any], settings: dict[str, Any]
) -> RunFolder:
    """Return the folder of this script's run.

    `never` makes a new one, `must` takes the existing one called `name`, `allow` takes it if it exists. Raises
    RequestError for a value or a name that does not fit, RunError where the run is or is not there.
    """
    if resume not in ("never", "allow", "must"):
        raise RequestError(f"Run(resume={resume!r}): choose never, allow or must")
    if resume != "never" and name is None:
        raise RequestError(f"Run(resume={resume!r}) needs a name: Run(name=…) says which run to resume")
    if resume != "never" and name is not None and (resume == "must" or (runs / name).is_dir()):
        folder = find_run(runs, name)
        if folder.record().task != script_name():
            raise RunError(f"run {name} belongs to {folder.record().task}, not to {script_name()}")
        return folder
    script = Path(sys.argv[0]) if sys.argv and sys.argv[0] else Path("script")
    record = {
        "parameters": config,
        "given": {},
        "settings": settings,
        "seed": settings["seed"],
        "versions": versions(),
        "git": git_commit(script.resolve().parent if script.exists() else Path.cwd()),
        "sources": {script.name: _sha256(script)} if script.is_file() else {},
    }
    return create(runs, script_name(), name, record)


def script_name() -> str:
    """Return the name of the running script, as `run.json` records it; `python` in a session without one."""
    return Path(sys.argv[0]).name if sys.argv and sys.argv[0] not in ("", "-c") else "python"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
