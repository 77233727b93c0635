"""`stoker.init`, `log`, `finish`, `config` and `alert`: a script that only logs numbers. Nothing here imports torch."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from stoker.version import __version__

from ..environment import git_commit
from ..errors import RequestError, RunError
from ..runs.folder import RunFolder, create, find_run
from ..runs.script import FOLDER_VARIABLE, given_folder, running_script, script_name
from ..runtime.open_runs import OPEN
from .config import as_dict
from .disabled import DisabledRun
from .run import TrackedRun

RECORDED = ("project", "group", "job_type", "tags", "notes", "entity")
"""Arguments of `init` that are recorded among the settings."""


def init(
    project: str | None = None,
    name: str | None = None,
    config: Any = None,
    *,
    runs: str | os.PathLike[str] = "runs",
    id: str | None = None,
    resume: bool | str | None = None,
    reinit: bool | str | None = None,
    mode: str | None = None,
    **more: Any,
) -> Any:
    """Open a run that logs numbers, and return it; its methods are those of this module.

    `config` is a mapping or an object with attributes. The run is called `name`, or else by the project and the time; a
    name that is taken gets a number. With `resume` `"allow"` or `"must"` the run of that name goes on. Where a run is
    open in this process it is returned, or finished first with `reinit=True`. `mode="disabled"` records nothing.
    Other arguments of `wandb.init` are accepted. Raises RequestError, RunLocked, RunError.
    """
    if mode == "disabled":
        return DisabledRun(config)
    for open_run in list(OPEN.values()):
        if not reinit or reinit in ("return_previous", "default"):
            return open_run
        open_run.finish()
    known = {"project": project, **more}
    settings = {key: known[key] for key in RECORDED if known.get(key) is not None}
    told = FOLDER_VARIABLE in os.environ
    folder = given_folder() or _folder(Path(runs), id or name, project, resume, as_dict(config), settings)
    record = folder.record()
    if not record.settings:
        record.settings, record.parameters, record.versions = settings, as_dict(config), _versions()
        folder.write_record(record)
    steps = [event.step for event in folder.last_events() if event.step is not None]
    run = TrackedRun(folder, config if config is not None else record.parameters, max(steps) if steps else None)
    if not told:
        print(f"stoker: run {folder.name}: attach with `stoker attach {folder.name}`", flush=True)
    return run


def log(values: Mapping[str, Any], step: int | None = None, commit: bool | None = None, **_: Any) -> None:
    """Record numbers by name, in the run of `init` or in the open `stoker.Run`.

    Without `step` each call is one step more, unless `commit` is False. In a `stoker.Run` the values belong to its own
    step. Raises RequestError without a run.
    """
    _current("log").log(values, step=step, commit=commit)


def finish(exit_code: int | None = None, **_: Any) -> None:
    """Write everything and end the open run, if there is one; without it this happens when the script ends."""
    if DisabledRun.newest is not None:
        DisabledRun.newest.finish()
    for run in list(OPEN.values()):
        run.finish(exit_code) if isinstance(run, TrackedRun) else run.finish()


def alert(title: str, text: str = "", **_: Any) -> None:
    """Show a message in the dashboard of the open run, and ring its bell. Raises RequestError without a run."""
    _current("alert").alert(title, text)


def define_metric(*_: Any, **__: Any) -> None:
    """Do nothing: every metric is drawn by its step."""


def watch(*_: Any, **__: Any) -> None:
    """Do nothing: gradients are not recorded."""


def login(*_: Any, **__: Any) -> bool:
    """Return True: runs are folders on this machine, and need no account."""
    return True


def current_run() -> Any:
    """Return the open run of this process, or None."""
    return next(iter(OPEN.values()), None)


class CurrentConfig:
    """`stoker.config`: the settings of the open run, with the same names and methods as a `Config`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_current("config").config, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_current("config").config, name, value)

    def __getitem__(self, name: str) -> Any:
        return _current("config").config[name]

    def __setitem__(self, name: str, value: Any) -> None:
        _current("config").config[name] = value

    def __contains__(self, name: str) -> bool:
        return name in _current("config").config


config = CurrentConfig()


def _current(what: str) -> Any:
    if DisabledRun.newest is not None and not OPEN:
        return DisabledRun.newest
    for run in OPEN.values():
        return run
    raise RequestError(f"stoker.{what} needs a run: call stoker.init(project=…, config=…) first")


def _folder(
    runs: Path, name: str | None, project: str | None, resume: bool | str | None, config: Any, settings: dict[str, Any]
) -> RunFolder:
    if resume not in (None, True, False, "never", "allow", "must", "auto"):
        raise RequestError(f"stoker.init(resume={resume!r}): choose allow, must or never")
    stem = (name or f"{project or Path(script_name()).stem}-{datetime.now():%Y%m%d-%H%M%S}").replace("/", "-")
    if name is not None and resume in (True, "allow", "must", "auto"):
        if resume == "must" or (runs / stem).is_dir():
            return find_run(runs, stem)
    elif resume == "must":
        raise RequestError("stoker.init(resume='must') needs a name: stoker.init(name=…) says which run goes on")
    script = running_script()
    git = git_commit(Path(script.path).parent if script else Path.cwd())
    record = {"parameters": config, "settings": settings, "versions": _versions(), "git": git, "script": script}
    for number in range(1, 1000):
        candidate = stem if number == 1 else f"{stem}-{number}"
        if not (runs / candidate).exists():
            return create(runs, script_name(), candidate, record)
    raise RunError(f"there are a thousand runs called {stem} in {runs}: choose another name")


def _versions() -> dict[str, str]:
    """Return the versions of what is imported already, because importing torch would take seconds."""
    found = {"stoker": __version__, "python": platform.python_version()}
    for library in ("torch", "numpy"):
        if (module := sys.modules.get(library)) is not None:
            found[library] = str(getattr(module, "__version__", ""))
    return {**found, "machine": f"{platform.system()} {platform.machine()}"}
