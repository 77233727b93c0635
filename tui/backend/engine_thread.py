"""Hosts the training engine in a thread of this process."""

from __future__ import annotations

import asyncio
import threading
import traceback
from concurrent.futures import Future
from queue import Empty, SimpleQueue

from stoker.engine.errors import StokerError, TrainingError
from stoker.engine.runs.commands import Controls
from stoker.engine.runs.events import Event, RunFinished
from stoker.engine.runs.folder import RunFolder

from ..terminal.stream import print_to


class Host:
    """One run's engine; `start` may be called again after it ended, which resumes the run."""

    def __init__(self, folder: RunFolder, *, checkpoint: str | None = None) -> None:
        """Prepare to train the run in `folder`, from `checkpoint` or the latest; nothing starts yet."""
        self.folder = folder
        self.controls = Controls(folder.commands)
        self.muted = False
        """Whether what the engine says is left to be read from the folder: nobody takes it from here."""
        self._checkpoint = checkpoint
        self._inbox: SimpleQueue[Event] = SimpleQueue()
        self._outcome: Future[RunFinished] | None = None

    @property
    def running(self) -> bool:
        """Whether the engine trains, or loads what it needs to."""
        return self._outcome is not None and not self._outcome.done()

    @property
    def started(self) -> bool:
        """Whether the engine was started, be it ended by now or not."""
        return self._outcome is not None

    def start(self) -> None:
        """Start the engine's thread; one at a time."""
        assert not self.running, "the thread that trains must stay the one that is waited for"
        # A checkpoint that was asked for holds for the first start; the next one goes on from the latest.
        checkpoint, self._checkpoint = self._checkpoint, None
        self.controls = Controls(self.folder.commands)
        self._outcome = Future()
        # Not a daemon: a program that ends waits until its training has ended.
        thread = threading.Thread(target=self._train, args=(self._outcome, checkpoint), name="stoker-engine")
        thread.start()

    async def wait(self) -> RunFinished:
        """Return how the training ended. Raises what the engine raised."""
        assert self._outcome is not None, "started first"
        # Shielded: who waits may be cancelled, the training goes on.
        return await asyncio.shield(asyncio.wrap_future(self._outcome))

    def join(self) -> RunFinished:
        """Wait in this thread until the training has ended. Raises what the engine raised."""
        assert self._outcome is not None, "started first"
        return self._outcome.result()

    def heard(self) -> list[Event]:
        """Return what the engine said since the last call."""
        events: list[Event] = []
        while True:
            try:
                events.append(self._inbox.get_nowait())
            except Empty:
                return events

    def _say(self, event: Event) -> None:
        if not self.muted:
            self._inbox.put(event)

    def _train(self, outcome: Future[RunFinished], checkpoint: str | None) -> None:
        try:
            print_to(self.folder.log)
            # Here and not above: this imports torch, which takes seconds.
            from stoker.engine.session import train

            outcome.set_result(train(self.folder, self.controls, self._say, checkpoint=checkpoint))
        except StokerError as error:
            outcome.set_exception(error)
        except Exception as error:
            traceback.print_exc()  # the message alone is on the screen
            outcome.set_exception(error)
        except BaseException as error:  # sys.exit() in a task must end the training, not the dashboard
            outcome.set_exception(TrainingError(f"the task ended its program: {error!r}"))
