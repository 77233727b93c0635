"""A tracker for Accelerate: `Accelerator(log_with=StokerTracker("mine"))`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import stoker

from . import missing

try:
    from accelerate.tracking import GeneralTracker, on_main_process
except ImportError as error:
    raise missing("accelerate", error) from error


class StokerTracker(GeneralTracker):  # type: ignore[misc]
    """Records what `accelerator.log` gets as a run that only logs numbers."""

    name = "stoker"
    requires_logging_directory = False
    main_process_only = True

    @on_main_process  # type: ignore[untyped-decorator]
    def __init__(self, run_name: str | None = None, *, runs: str | os.PathLike[str] = "runs", **options: Any) -> None:
        """Open the run; `options` are those of `stoker.init`."""
        super().__init__()
        self.run = stoker.init(name=run_name, runs=runs, **options)

    @property
    def tracker(self) -> Any:
        """The run, as `accelerator.get_tracker("stoker", unwrap=True)` returns it."""
        return self.run

    @on_main_process  # type: ignore[untyped-decorator]
    def store_init_configuration(self, values: Mapping[str, Any]) -> None:
        """Record the settings that `accelerator.init_trackers` gets."""
        self.run.config.update(values)

    @on_main_process  # type: ignore[untyped-decorator]
    def log(self, values: Mapping[str, Any], step: int | None = None, **_: Any) -> None:
        """Record numbers by name."""
        self.run.log(values, step=step)

    @on_main_process  # type: ignore[untyped-decorator]
    def finish(self) -> None:
        """End the run."""
        self.run.finish()
