"""DataLoader's worker processes: how they start, which signals they handle, and how they end."""

from __future__ import annotations

import inspect
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from torch.utils.data import DataLoader

IGNORED = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)  # signals for the training process alone


def loader_options(workers: int, given: Mapping[str, Any], *, pin_memory: bool) -> dict[str, Any]:
    """Return the DataLoader's options for this number of workers.

    Options in `given` win; those that torch's DataLoader does not know are left out.
    """
    options = {"num_workers": workers, "pin_memory": pin_memory, **given}
    if options["num_workers"]:
        options.setdefault("persistent_workers", True)
        if sys.platform == "linux":
            # A spawned process could not import the task's file.
            options.setdefault("multiprocessing_context", "fork")
        options["worker_init_fn"] = WorkerInit(options.get("worker_init_fn"))
    return {name: value for name, value in options.items() if name in inspect.signature(DataLoader).parameters}


class WorkerInit:
    """A `worker_init_fn` that makes a worker ignore the signals of the terminal and of a batch system.

    Only the training process handles them: it saves and then ends its workers.
    """

    def __init__(self, then: Callable[[int], None] | None) -> None:
        """Call `then`, the task's own `worker_init_fn`, afterwards."""
        self.then = then

    def __call__(self, worker: int) -> None:
        """Set the signal handlers of this worker process."""
        for signum in IGNORED:
            signal.signal(signum, signal.SIG_IGN)
        if hasattr(signal, "sigwaitinfo"):
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
            threading.Thread(target=_exit_on_parents_signal, name="stoker-worker-end", daemon=True).start()
        else:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if self.then is not None:
            self.then(worker)


def _exit_on_parents_signal() -> None:
    # Ignore SIGTERM of a batch system, which signals every process of a job. Obey that of torch, which ends a hanging worker.
    while signal.sigwaitinfo([signal.SIGTERM]).si_pid != os.getppid():
        pass
    os._exit(0)


def end_workers(loader: DataLoader[Any]) -> None:
    """End the persistent workers of a loader now, not when Python collects the loader."""
    iterator, loader._iterator = loader._iterator, None
    if iterator is not None and hasattr(iterator, "_shutdown_workers"):
        iterator._shutdown_workers()
