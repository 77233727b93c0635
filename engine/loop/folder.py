"""The run folder of a script: given by `stoker run`, made anew, or found again to resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from ..environment import git_commit, versions
from ..errors import RequestError, RunError
from ..runs.folder import RunFolder, create, find_run
from ..runs.script import given_folder, running_script, script_name

Resume = Literal["never", "allow", "must"]


def open_folder(
    runs: Path, name: str | None, resume: Resume, config: dict[str, Any], settings: dict[str, Any]
) -> tuple[RunFolder, bool]:
    """Return the folder of this script's run, and whether it may hold a checkpoint to continue from.

    Under `stoker run` and `stoker resume` it is the folder that they gave, whatever the arguments say. Otherwise
    `never` makes a new one, `must` takes the existing one called `name`, `allow` takes it if it exists. Raises
    RequestError for a value or a name that does not fit, RunError where the run is or is not there.
    """
    if resume not in ("never", "allow", "must"):
        raise RequestError(f"Run(resume={resume!r}): choose never, allow or must")
    if (given := given_folder()) is not None:
        given.record()
        return given, True
    if resume != "never" and name is None:
        raise RequestError(f"Run(resume={resume!r}) needs a name: Run(name=…) says which run to resume")
    if resume != "never" and name is not None and (resume == "must" or (runs / name).is_dir()):
        folder = find_run(runs, name)
        if folder.record().task != script_name():
            raise RunError(f"run {name} belongs to {folder.record().task}, not to {script_name()}")
        return folder, True
    return create(runs, script_name(), name, {"given": {}, **_start_of(config, settings)}), False


def describe_start(folder: RunFolder, config: dict[str, Any], settings: dict[str, Any]) -> None:
    """Complete the record of a folder that `stoker run` made, at the first start. Hold the lock. Raises OSError."""
    record = folder.record()
    if not record.settings:
        fields = _start_of(config, settings)
        # The command that `stoker run` recorded is the one to repeat.
        fields["script"] = record.script or fields["script"]
        folder.write_record(msgspec.structs.replace(record, **fields))


def _start_of(config: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    script = running_script()
    path = Path(script.path) if script else None
    return {
        "parameters": config,
        "settings": settings,
        "seed": settings["seed"],
        "versions": versions(),
        "git": git_commit(path.parent if path else Path.cwd()),
        "sources": {path.name: script.sha256} if path and script else {},
        "script": script,
    }
