"""`stoker.Run`: the calls that a training loop of the user's own makes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..data.batches import Batches, batch_size_of
from ..errors import RequestError
from ..runs.commands import Command
from ..runs.folder import RunFolder
from ..runs.script import FOLDER_VARIABLE
from ..seeding import Stream, reseed, seed_for
from .checks import check_request, notice
from .controller import LoopController
from .folder import Resume, describe_start, open_folder
from .loader import batches_of, rows_of
from .parts import Parts

Evaluation = Callable[[], Mapping[str, Any]]


class Run:
    """One run of the user's own loop: watched, steered, saved and resumed like any run.

    Saving, pausing and commands happen between two batches, in `batches`, and at the start of each turn of `epochs` or
    `steps`. What stands between `for epoch …` and `for batch …` runs again on a mid-epoch resume: keep what it changes
    in `state`, or in an object that is named to the Run.
    """

    def __init__(
        self,
        *,
        model: Any,
        optimizer: Any,
        scheduler: Any = None,
        epochs: int | None = None,
        monitor: str = "loss",
        mode: str | None = None,
        patience: int | None = None,
        name: str | None = None,
        runs: str | os.PathLike[str] = "runs",
        seed: int = 0,
        config: Mapping[str, Any] | None = None,
        save_every: str | None = None,
        keep: int = 0,
        eval_every: str | None = None,
        resume: Resume = "never",
        **parts: Any,
    ) -> None:
        """Open a run and seed the generators of Python, numpy and torch by `seed`.

        `model`, `optimizer`, `scheduler` and every object in `parts` need `state_dict` and `load_state_dict`; each is
        saved under its name. `epochs` is the default of `epochs()`. `monitor` is the evaluated metric that decides
        what is best, in the direction `mode` (`min`, `max`, or by its name); after `patience` evaluations without
        improvement `epochs()` ends. `config` is shown and recorded. `save_every` is such as `500steps` or `5min`,
        `eval_every` such as `500steps`. With `resume` `allow` or `must` the run called `name` continues from its newest
        checkpoint.

        Raises RequestError where a value is wrong, RunLocked where another process trains the run, CheckpointError
        where no checkpoint can be read or it belongs to another model.
        """
        named = {
            "model": model,
            "optimizer": optimizer,
            **({} if scheduler is None else {"scheduler": scheduler}),
            **parts,
        }
        settings = {
            "epochs": epochs or 0,
            "seed": seed,
            "monitor": monitor,
            "patience": patience,
            "save_every": save_every,
            "keep": keep,
            "eval_every": eval_every,
        }
        saved = Parts(named)
        check_request(saved, settings, mode)
        told = FOLDER_VARIABLE in os.environ
        folder, resumes = open_folder(Path(runs), name, resume, dict(config or {}), settings)
        self._epochs, self._seed = epochs, seed
        self._controller = LoopController(folder, saved, settings, mode=mode, evaluate=self._evaluate_function)
        self._evaluation: Evaluation | None = None
        self._loader: Any = None
        self._batches: Batches | None = None
        self.state = self._controller.state.user_state
        """A dict of plain data and tensors that is saved: for what stands between the two `for` lines."""
        reseed(seed_for(Stream.STEP, seed), self._controller.device)
        if resumes:
            describe_start(folder, dict(config or {}), settings)
            self._controller.load_newest()
        if not told:
            print(f"stoker: run {self.folder.name}: attach with `stoker attach {self.folder.name}`", flush=True)
        if (words := notice()) is not None:
            print(f"stoker: {words}", flush=True)

    @property
    def folder(self) -> RunFolder:
        """The run's folder."""
        return self._controller.folder

    @property
    def lr_scale(self) -> float:
        """The factor by which commands have changed the learning rate, for a loop that sets the rate itself.

        Write `group["lr"] = schedule(step) * run.lr_scale`.
        """
        return self._controller.rate.scale

    # ---- the loop -------------------------------------------------------------------------------------------------

    def epochs(self, count: int | None = None) -> Iterator[int]:
        """Yield each epoch that is left, from 0; ends early when the patience is used up.

        Raises RequestError without a count here or in the Run.
        """
        total = count if count is not None else self._epochs
        if total is None:
            raise RequestError("run.epochs() needs a number of epochs: Run(epochs=…) or run.epochs(…)")
        progress = self._controller.start(epochs=total)
        while progress.epoch < total and not self._controller.exhausted:
            yield progress.epoch
            progress.epoch, progress.batch = progress.epoch + 1, 0
            self._controller.between(epoch_ended=True)
        self._controller.complete()

    def steps(self, count: int) -> Iterator[int]:
        """Yield each turn that is left of a loop without epochs, from 0; ends early when the patience is used up."""
        progress, draws = self._controller.start(epochs=1, steps_per_epoch=count), self._controller.state.draws
        while progress.batch < count and not self._controller.exhausted:
            draws.seed(progress.epoch, progress.batch)
            yield progress.batch
            progress.batch += 1
            self._controller.between()
        self._controller.complete()

    def batches(self, loader: Iterable[Any]) -> Iterator[Any]:
        """Yield the batches of this epoch that are left, in an order that depends on (seed, epoch) alone.

        Draws of Python, numpy and torch depend on the position alone, see `Draws`. Raises RequestError outside of
        `epochs()` and for a loader that cannot be iterated again.
        """
        progress, draws = self._controller.started_progress("run.batches()"), self._controller.state.draws
        if self._loader is not loader:
            self._loader, self._batches = loader, batches_of(loader, self._seed)
            self._controller.use(self._batches, rows_of(loader))
        assert self._batches is not None
        controller, log = self._controller, self._controller.step_log
        source = self._batches.epoch(progress.epoch, progress.batch)
        while True:
            before = time.perf_counter()
            batch = next(source, source)
            log.waited += time.perf_counter() - before
            if batch is source:
                return
            draws.seed(progress.epoch, progress.batch)
            progress.samples += (samples := batch_size_of(batch))
            controller.samples += samples
            yield batch
            progress.batch += 1
            # What follows the last batch belongs to the epoch: the scheduler's step and the evaluation.
            if progress.batch != controller.state.batches_per_epoch:
                controller.between()

    def log(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Record values of this step, `loss` first: numbers or tensors (). Tensors stay on the device until read."""
        self._controller.log(more if values is None else {**values, **more})

    def text(self, title: str, text: str) -> None:
        """Record a text of this step, such as a generated sample."""
        self._controller.text(title, text)

    # ---- evaluation -----------------------------------------------------------------------------------------------

    def evaluation(self, function: Evaluation) -> Evaluation:
        """Use `function`, which returns metrics by name, for `evaluate` and for the key e; a decorator."""
        self._evaluation = function
        return function

    def evaluate(self) -> dict[str, float]:
        """Call the evaluation function; count early stopping and keep the best checkpoint by its metrics.

        Raises RequestError without such a function, or where it does not return the monitored metric.
        """
        return self._controller.evaluate_on_schedule()

    def save(self) -> None:
        """Ask for a checkpoint at the next safe place, which is between two batches. Raises RequestError outside a loop."""
        self._controller.started_progress("run.save()")
        self._controller.controls.send(Command(command="save"))

    def finish(self) -> None:
        """Save, write the last event and let the run go; without it this happens when the script ends."""
        self._controller.finish()

    def __enter__(self) -> Run:
        """Return the run."""
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        """Finish the run; an error of the block is recorded, and its state is not saved."""
        self._controller.finish(error)

    def _evaluate_function(self) -> Mapping[str, Any]:
        if self._evaluation is None:
            raise RequestError(
                "this loop has no evaluation: decorate a function that returns metrics by @run.evaluation"
            )
        return self._evaluation()
