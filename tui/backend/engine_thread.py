"""Runs the training engine in a thread of this process."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import traceback
from concurrent.futures import Future
from queue import Empty, SimpleQueue

from stoker.engine.errors import StokerError, TrainingError
from stoker.engine.runs.commands import Controls
from stoker.engine.runs.events import Event, RunFinished
from stoker.engine.runs.folder import RunFolder

from ..terminal.stream import redirect_prints


class EngineThread:
    """The engine of one run. After it has ended, `start` may be called again to resume the run."""

    def __init__(self, folder: RunFolder, *, checkpoint: str | None = None) -> None:
        """Prepare to train the run in `folder`, from `checkpoint` or the latest one. Nothing starts yet."""
        self.folder = folder
        self.controls = Controls(folder.commands)
        self.detached_view = False
        """The dashboard reads the events from the run folder, so `drain` returns none."""
        self._checkpoint = checkpoint
        self._inbox: SimpleQueue[Event] = SimpleQueue()
        self._outcome: Future[RunFinished] | None = None

    @property
    def running(self) -> bool:
        """Whether the engine is training or loading."""
        return self._outcome is not None and not self._outcome.done()

    @property
    def started(self) -> bool:
        """Whether the engine was ever started; it may have ended since."""
        return self._outcome is not None

    def start(self) -> None:
        """Start the engine's thread; the one before must have ended."""
        assert not self.running, "an engine is running: wait until it has ended"
        # A given checkpoint is for the first start only; later starts resume from the latest one.
        checkpoint, self._checkpoint = self._checkpoint, None
        self.controls = Controls(self.folder.commands)
        self._outcome = Future()
        # Not a daemon thread: at its end the program waits until the training has ended.
        thread = threading.Thread(target=self._train, args=(self._outcome, checkpoint), name="stoker-engine")
        thread.start()

    async def wait_async(self) -> RunFinished:
        """Wait until the training has ended, and return its last event. Raises the engine's exception."""
        assert self._outcome is not None, "call start() first"
        # Shielded: cancelling the waiting task must not cancel the outcome of the training.
        return await asyncio.shield(asyncio.wrap_future(self._outcome))

    def wait(self) -> RunFinished:
        """Block until the training has ended, and return its last event. Raises the engine's exception."""
        assert self._outcome is not None, "call start() first"
        return self._outcome.result()

    def drain(self) -> list[Event]:
        """Return the events that the engine emitted since the last call."""
        events: list[Event] = []
        while True:
            try:
                events.append(self._inbox.get_nowait())
            except Empty:
                return events

    def _emit(self, event: Event) -> None:
        if not self.detached_view:
            self._inbox.put(event)

    def _train(self, outcome: Future[RunFinished], checkpoint: str | None) -> None:
        try:
            redirect_prints(self.folder.log)
            # Imported here because it imports torch, which takes seconds.
            from stoker.engine.session import train

            outcome.set_result(train(self.folder, self.controls, self._emit, checkpoint=checkpoint))
        except StokerError as error:
            outcome.set_exception(error)
        except Exception as error:
            # First the outcome: whatever happens to the print, nobody may wait for this training any more.
            outcome.set_exception(error)
            with contextlib.suppress(Exception):
                traceback.print_exception(error)  # the screen shows only the message
        except BaseException as error:  # sys.exit() in a task must not end the dashboard
            outcome.set_exception(TrainingError(f"the task tried to end the program: {error!r}"))
