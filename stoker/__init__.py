"""stoker: train a PyTorch model and control the run from a terminal.

Every public name is imported when it is first used, so that `import stoker` loads neither torch nor Textual.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from stoker.version import __version__

if TYPE_CHECKING:
    from stoker.engine.api import evaluate as evaluate
    from stoker.engine.api import export as export
    from stoker.engine.api import open_run as open_run
    from stoker.engine.api import resume as resume
    from stoker.engine.api import send as send
    from stoker.engine.api import train as train
    from stoker.engine.config.settings import Settings as Settings
    from stoker.engine.errors import CheckpointError as CheckpointError
    from stoker.engine.errors import ParameterError as ParameterError
    from stoker.engine.errors import RequestError as RequestError
    from stoker.engine.errors import RunError as RunError
    from stoker.engine.errors import RunLocked as RunLocked
    from stoker.engine.errors import SettingError as SettingError
    from stoker.engine.errors import StokerError as StokerError
    from stoker.engine.errors import TaskError as TaskError
    from stoker.engine.errors import TrainingError as TrainingError
    from stoker.engine.history.history import RunHistory as RunHistory
    from stoker.engine.loop.run import Run as Run
    from stoker.engine.runs import events as events
    from stoker.engine.runs.folder import RunFolder as RunFolder
    from stoker.engine.runs.folder import list_runs as list_runs
    from stoker.engine.tasks.task import Task as Task
    from stoker.engine.tracking.api import alert as alert
    from stoker.engine.tracking.api import config as config
    from stoker.engine.tracking.api import define_metric as define_metric
    from stoker.engine.tracking.api import finish as finish
    from stoker.engine.tracking.api import init as init
    from stoker.engine.tracking.api import log as log
    from stoker.engine.tracking.api import login as login
    from stoker.engine.tracking.api import watch as watch
    from stoker.integrations.transformers import tend as tend


# Public name → the module that defines it.
_MODULES = {
    **dict.fromkeys(("evaluate", "export", "open_run", "resume", "send", "train"), "stoker.engine.api"),
    **dict.fromkeys(("RunFolder", "list_runs"), "stoker.engine.runs.folder"),
    **dict.fromkeys(
        ("alert", "config", "define_metric", "finish", "init", "log", "login", "watch"), "stoker.engine.tracking.api"
    ),
    "tend": "stoker.integrations.transformers",
    "Run": "stoker.engine.loop.run",
    "RunHistory": "stoker.engine.history.history",
    "Settings": "stoker.engine.config.settings",
    "Task": "stoker.engine.tasks.task",
}
__all__ = [
    "CheckpointError",
    "ParameterError",
    "RequestError",
    "Run",
    "RunError",
    "RunFolder",
    "RunHistory",
    "RunLocked",
    "SettingError",
    "Settings",
    "StokerError",
    "Task",
    "TaskError",
    "TrainingError",
    "__version__",
    "alert",
    "config",
    "define_metric",
    "evaluate",
    "events",
    "export",
    "finish",
    "init",
    "list_runs",
    "log",
    "login",
    "open_run",
    "resume",
    "run",
    "send",
    "tend",
    "train",
    "watch",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use. Raises AttributeError for any other."""
    if name not in __all__:
        raise AttributeError(f"module 'stoker' has no attribute {name!r}")
    if name == "events":
        return importlib.import_module("stoker.engine.runs.events")
    if name == "run":
        # The open run, or None: another one at another time, so it is not kept.
        return importlib.import_module("stoker.engine.tracking.api").current_run()
    value = getattr(importlib.import_module(_MODULES.get(name, "stoker.engine.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
