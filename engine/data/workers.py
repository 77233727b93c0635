"""DataLoader's worker processes: how they start, which signals they heed, and how they end."""

from __future__ import annotations

import inspect
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from torch.utils.data import DataLoader

OTHERS = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


def loader_options(workers: int, given: Mapping[str, Any], *, pin_memory: bool) -> dict[str, Any]:
    """Return the DataLoader's options for so many workers; `given` ones come first, unknown ones are left out."""
    options = {"num_workers": workers, "pin_memory": pin_memory, **given}
    if options["num_workers"]:
        options.setdefault("persistent_workers", True)
        if sys.platform == "linux":
            # A task's file is no importable module in a process that is started afresh.
            options.setdefault("multiprocessing_context", "fork")
        options["worker_init_fn"] = Started(options.get("worker_init_fn"))
    return {name: value for name, value in options.items() if name in inspect.signature(DataLoader).parameters}


class Started:
    """Runs first in a worker: the terminal's and the scheduler's signals are for the training process alone."""

    def __init__(self, then: Callable[[int], None] | None) -> None:
        """Call `then` with the worker's number afterwards."""
        self.then = then

    def __call__(self, worker: int) -> None:
        """Prepare this worker process."""
        for signum in OTHERS:
            signal.signal(signum, signal.SIG_IGN)
        if hasattr(signal, "sigwaitinfo"):
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
            threading.Thread(target=_heed_parent, name="stoker-worker-end", daemon=True).start()
        else:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if self.then is not None:
            self.then(worker)


def _heed_parent() -> None:
    # A batch system sends SIGTERM to every process of a job, but torch too ends a worker that hangs with it.
    while signal.sigwaitinfo([signal.SIGTERM]).si_pid != os.getppid():
        pass
    os._exit(0)


def end_workers(loader: DataLoader[Any]) -> None:
    """End the workers that a loader keeps for the next epoch; without it they live as long as the loader's garbage."""
    iterator, loader._iterator = loader._iterator, None
    if iterator is not None and hasattr(iterator, "_shutdown_workers"):
        iterator._shutdown_workers()
