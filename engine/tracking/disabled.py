"""A run that records nothing: `stoker.init(mode="disabled")`."""

from __future__ import annotations

from typing import Any, ClassVar

from .config import Config


class DisabledRun:
    """Takes every call of a run, and does nothing."""

    newest: ClassVar[DisabledRun | None] = None
    """The newest one, until it is finished: `stoker.log` goes to it where no run is open."""

    def __init__(self, config: Any = None) -> None:
        """Hold `config` alone."""
        self.config, self.summary = Config(config, lambda: None), dict[str, Any]()
        self.name = self.id = "disabled"
        self.url = self.dir = None
        self.step = 0
        DisabledRun.newest = self

    def log(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    alert = define_metric = watch = log

    def finish(self, *_: Any, **__: Any) -> None:
        """Forget this run."""
        DisabledRun.newest = None

    def __enter__(self) -> DisabledRun:
        """Return the run."""
        return self

    def __exit__(self, *_: Any) -> None:
        """Forget this run."""
        self.finish()
