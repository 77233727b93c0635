"""Lightning's Trainer as a run, in both of its namespaces: `lightning` and `pytorch_lightning`."""

from __future__ import annotations

import importlib
import importlib.util
import math
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from stoker.engine.config.specs import Every
from stoker.engine.integrations.exact_loader import exact
from stoker.engine.integrations.opening import Opening
from stoker.engine.integrations.tended import Abilities, Tended
from stoker.engine.loop.folder import Resume
from stoker.engine.seeding import Stream, reseed, seed_for

from . import missing

__all__ = ["StokerCallback", "exact"]
NAMESPACES = ("lightning.pytorch", "pytorch_lightning")
FILE = "lightning.ckpt"
"""Name of the checkpoint that the callback itself writes, in the run's folder of checkpoints."""


def _bases() -> tuple[type, ...]:
    """Return Lightning's Callback of each namespace that is imported, or else of one that is installed."""
    loaded = [name for name in NAMESPACES if name in sys.modules]
    installed = [name for name in NAMESPACES if importlib.util.find_spec(name.partition(".")[0])]
    try:
        return tuple(importlib.import_module(name).Callback for name in loaded or installed[:1] or NAMESPACES[:1])
    except ImportError as error:
        raise missing("lightning", error) from error


class StokerCallback(*_bases()):  # type: ignore[misc]
    """Shows a Trainer in the dashboard; pauses, saves, evaluates, stops and sets the learning rate between two steps."""

    def __init__(
        self,
        *,
        name: str | None = None,
        runs: str | os.PathLike[str] = "runs",
        resume: Resume = "never",
        config: Mapping[str, Any] | None = None,
        save_every: str | None = "5min",
        seed: int = 0,
    ) -> None:
        """Name the run, and save a checkpoint of Lightning's into its folder `save_every`, such as `500steps` or `5min`.

        Python's, numpy's and torch's generators are reseeded before each batch from (seed, epoch, batch), because
        Lightning saves no generator. The other arguments are those of `stoker.Run`. Raises SettingError.
        """
        self.opening = Opening(name, runs, resume, config)
        self.tended: Tended | None = None
        self._every = Every.parse(save_every, what="save_every", time=True) if save_every else None
        self._seed, self._saved_at = seed, (0, 0, 0.0)
        self._trainer: Any = None
        self._stopped_early: tuple[Any, ...] = ()
        self._paths: dict[int, str] = {}

    @property
    def checkpoint(self) -> str | None:
        """The newest checkpoint of the run to continue, or None: `trainer.fit(…, ckpt_path=callback.checkpoint)`."""
        return self.opening.checkpoint()

    # ---- hooks of Lightning ---------------------------------------------------------------------------------------

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Open the run."""
        if not trainer.is_global_zero:
            return
        self._trainer = trainer
        batches = trainer.num_training_batches
        per_epoch = None if math.isinf(batches) else math.ceil(batches / trainer.accumulate_grad_batches)
        endless = trainer.max_epochs in (None, -1)
        schedulers = trainer.lr_scheduler_configs
        self.tended = Tended(
            self.opening,
            {"seed": self._seed, "monitor": getattr(trainer.early_stopping_callback, "monitor", "loss")},
            pl_module,
            trainer.optimizers[0],
            schedulers[0].scheduler if schedulers else None,
            Abilities(save=self._save, instead="Lightning cannot evaluate inside a training without changing it"),
            step=trainer.global_step,
            epochs=1 if endless else trainer.max_epochs,
            steps_per_epoch=trainer.max_steps if endless and trainer.max_steps > 0 else per_epoch,
            commands=trainer.world_size == 1,
        )
        self._saved_at = trainer.global_step, trainer.current_epoch, time.monotonic()

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Seed the epoch's order."""
        reseed(seed_for(Stream.EPOCH, self._seed, trainer.current_epoch), pl_module.device)

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Seed the batch."""
        reseed(seed_for(Stream.STEP, self._seed, trainer.current_epoch, batch_idx), pl_module.device)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Record the step's loss, save where that is due, and carry out commands."""
        tended = self.tended
        if tended is None:
            return
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        values = {}
        if isinstance(loss, torch.Tensor) and loss.numel() == 1:
            # Lightning has divided it by the number of batches in a step.
            values["loss"] = loss.detach() * trainer.accumulate_grad_batches
        tended.step(trainer.global_step, trainer.current_epoch + 1, values)
        self._show_checkpoints()
        loop = trainer.fit_loop.epoch_loop
        # Lightning saves no accumulated gradients, and counts an epoch too many after two resumes from checkpoints of an
        # epoch's last batch.
        if loop._should_accumulate() or loop.batch_progress.is_last_batch:
            return
        if self._save_due(trainer):
            self._save("schedule")
        if tended.between():
            self._save("signal" if tended.controls.signal is not None else "command")
            self._stop(trainer)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Record an evaluation on Lightning's schedule."""
        if self.tended is None or trainer.sanity_checking:
            return
        found = {name: float(value) for name, value in trainer.callback_metrics.items()}
        named = {name[4:]: value for name, value in found.items() if name.startswith(("val_", "val/"))}
        self.tended.evaluated(named or found)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Record what the module logged in this epoch, and the counter of Lightning's early stopping."""
        if self.tended is None:
            return
        values = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.tended.logged({k: v for k, v in values.items() if not k.startswith(("val_", "val/")) and k != "loss"})
        self._show_early_stopping(trainer)
        self._show_checkpoints()

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Write the end of the run. Raises StopRun where a signal ended it."""
        self._show_early_stopping(trainer)
        self._show_checkpoints()
        tended, self.tended = self.tended, None
        if tended is None:
            return
        if tended.stopping is not None:
            tended.end(tended.stopping.cause, tended.stopping.message)
            tended.end_by_signal()
        else:
            early = trainer.early_stopping_callback
            tended.end("early_stopping" if early is not None and early.stopped_epoch else "completed")

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Record the error that ends the training."""
        if self.tended is not None:
            self.tended.script_ended(exception)
            self.tended = None

    # ---- saving and stopping --------------------------------------------------------------------------------------

    def _save_due(self, trainer: Any) -> bool:
        every, (step, epoch, when) = self._every, self._saved_at
        if every is None or trainer.global_step == step:
            return False
        if every.unit == "s":
            return time.monotonic() - when >= every.count
        now, before = (trainer.global_step, step) if every.unit == "steps" else (trainer.current_epoch, epoch)
        return bool(now // every.count > before // every.count)

    def _save(self, cause: str) -> None:
        tended, begun = self.tended, time.monotonic()
        assert tended is not None
        path = tended.folder.checkpoints / FILE
        self._trainer.save_checkpoint(str(path) + ".new")
        with Path(str(path) + ".new").open("rb") as file:
            os.fsync(file.fileno())
        # Complete before it takes the place of the one before.
        Path(str(path) + ".new").replace(path)
        self._saved_at = self._trainer.global_step, self._trainer.current_epoch, time.monotonic()
        tended.saved(path, seconds=time.monotonic() - begun)

    def _stop(self, trainer: Any) -> None:
        trainer.should_stop = True
        # A person's stop does not wait for a least number of epochs.
        trainer.fit_loop.min_epochs, trainer.fit_loop.epoch_loop.min_steps = 0, None

    def _show_checkpoints(self) -> None:
        """Record the checkpoints that Lightning's own callbacks have written since."""
        for callback in self._trainer.checkpoint_callbacks if self.tended is not None else ():
            path = getattr(callback, "_last_checkpoint_saved", "")
            if path and self._paths.get(id(callback)) != path:
                self._paths[id(callback)] = path
                if self.tended is not None and Path(path).exists():
                    self.tended.saved(path, "best" if path == callback.best_model_path else "kept")

    def _show_early_stopping(self, trainer: Any) -> None:
        early = trainer.early_stopping_callback
        if early is None or self.tended is None:
            return
        now = (early.wait_count, float(early.best_score))
        if now != self._stopped_early[:2]:
            best_step = trainer.global_step if early.wait_count == 0 else (*self._stopped_early, 0, 0, 0)[2]
            self._stopped_early = (*now, best_step)
            self.tended.early_stopping(early.monitor, now[1], best_step, early.wait_count, early.patience)
