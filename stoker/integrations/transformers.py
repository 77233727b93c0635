"""Hugging Face's Trainer as a run: a callback, and `tend` for what a callback alone cannot do."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from stoker.engine.integrations.exact_data import ExactData
from stoker.engine.integrations.opening import Opening
from stoker.engine.integrations.tended import Abilities, Tended
from stoker.engine.loop.folder import Resume
from stoker.engine.seeding import generators_kept

from . import missing

try:
    from transformers import EarlyStoppingCallback, Trainer, TrainerCallback
    from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR
except ImportError as error:
    raise missing("transformers", error) from error

INSTEAD = "a callback alone would change the run; call stoker.tend(trainer) in place of StokerCallback()"
NOT_METRICS = ("epoch", "runtime", "samples_per_second", "steps_per_second", "jit_compilation_time")
"""Ends of names in the Trainer's metrics that measure no model."""


class StokerCallback(TrainerCallback):  # type: ignore[misc]
    """Shows a Trainer in the dashboard; pauses, stops and sets the learning rate between two steps."""

    def __init__(
        self,
        *,
        name: str | None = None,
        runs: str | os.PathLike[str] = "runs",
        resume: Resume = "never",
        config: Mapping[str, Any] | None = None,
    ) -> None:
        """Name the run; the arguments are those of `stoker.Run`. Its folder is made when the training begins."""
        self.opening = Opening(name, runs, resume, config)
        self.trainer: Any = None
        self.tended: Tended | None = None
        self.data: ExactData | None = None
        self._losses: list[torch.Tensor] = []
        self._sum_losses = True
        self._hook: Any = None

    # ---- events of the Trainer ------------------------------------------------------------------------------------

    def on_train_begin(self, args: Any, state: Any, control: Any, **objects: Any) -> None:
        """Open the run."""
        if not state.is_world_process_zero:
            return
        model, loader = objects["model"], objects.get("train_dataloader")
        per_epoch = max(1, math.ceil(state.max_steps / args.num_train_epochs)) if args.max_steps <= 0 else None
        steps = per_epoch if per_epoch and loader is not None else state.max_steps
        self.tended = Tended(
            self.opening,
            {"monitor": args.metric_for_best_model or "loss", "seed": args.seed, "batch_size": args.train_batch_size},
            model,
            objects["optimizer"],
            objects.get("lr_scheduler"),
            self._abilities(),
            step=state.global_step,
            epochs=max(1, round(state.max_steps / steps)),
            steps_per_epoch=steps,
            commands=args.world_size == 1,
        )
        self._losses = []
        if self.trainer is None:
            self._hook = model.register_forward_hook(self._forward, with_kwargs=True)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **objects: Any) -> None:
        """Tell the epoch to data that is made exact."""
        if self.data is not None:
            self.data.epoch.fill_(int(state.epoch or 0))

    def on_step_end(self, args: Any, state: Any, control: Any, **objects: Any) -> Any:
        """Record the step's loss, and carry out commands."""
        if self.tended is None:
            return control
        values = {}
        if self._losses:
            total = sum(self._losses[1:], self._losses[0])
            values["loss"] = total if self._sum_losses else total / len(self._losses)
            self._losses = []
        self.tended.step(state.global_step, math.ceil(state.epoch), values, args.train_batch_size)
        if self.tended.between():
            control.should_training_stop = control.should_save = True
        return control

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **objects: Any) -> None:
        """Record what the Trainer logs besides the loss."""
        if self.tended is not None and "train_runtime" not in (logs or {}):
            known = ("epoch", "learning_rate", "loss")
            self.tended.logged({k: v for k, v in logs.items() if k not in known and not k.startswith("eval_")})

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **objects: Any) -> None:
        """Record an evaluation on the Trainer's schedule, and the counter of its early stopping."""
        if self.tended is None:
            return
        self.tended.evaluated(_metrics(metrics))
        for callback in self.trainer.callback_handler.callbacks if self.trainer is not None else ():
            if isinstance(callback, EarlyStoppingCallback):
                self._show_early_stopping(callback, args, state, metrics)

    def on_save(self, args: Any, state: Any, control: Any, **objects: Any) -> None:
        """Record the Trainer's checkpoint."""
        if self.tended is not None:
            self.tended.saved(Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}")

    def on_train_end(self, args: Any, state: Any, control: Any, **objects: Any) -> None:
        """Write the end of the run. Raises StopRun where a signal ended it."""
        if self._hook is not None:
            self._hook.remove()
            self._hook = None
        tended, self.tended = self.tended, None
        if tended is None:
            return
        if tended.stopping is not None:
            tended.end(tended.stopping.cause, tended.stopping.message)
            tended.end_by_signal()
        else:
            tended.end("completed" if state.global_step >= state.max_steps else "early_stopping")

    # ---- what a Trainer adds --------------------------------------------------------------------------------------

    def add_loss(self, loss: torch.Tensor) -> None:
        """Add the loss () of one backward pass, scaled so that those of a step add up."""
        self._losses.append(loss.detach())

    def _forward(self, module: Any, _: Any, given: Mapping[str, Any], output: Any) -> None:
        if not (module.training and torch.is_grad_enabled()):
            return
        loss = output.get("loss") if isinstance(output, dict) else output[0] if isinstance(output, tuple) else None
        if isinstance(loss, torch.Tensor) and loss.numel() == 1:
            self._losses.append(loss.detach())
            # With it the model divides by the items of all backward passes of the step.
            self._sum_losses = given.get("num_items_in_batch") is not None

    def _abilities(self) -> Abilities:
        if self.trainer is None:
            return Abilities(instead=INSTEAD)
        return Abilities(save=self._save, evaluate=self._evaluate, instead="the Trainer has no eval_dataset")

    def _save(self, cause: str) -> None:
        trainer, begun = self.trainer, time.monotonic()
        trainer._save_checkpoint(trainer.model_wrapped, None)
        assert self.tended is not None
        path = Path(trainer.args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{trainer.state.global_step}"
        self.tended.saved(path, seconds=time.monotonic() - begun)

    def _evaluate(self) -> dict[str, float]:
        trainer = self.trainer
        handler, history, metrics = trainer.callback_handler, len(trainer.state.log_history), None
        callbacks, flags = handler.callbacks, dict(vars(trainer.control))
        # Early stopping, the best checkpoint and the plateau scheduler must not see it.
        handler.callbacks = []
        try:
            with generators_kept():
                metrics = trainer.evaluate()
        finally:
            handler.callbacks = callbacks
            del trainer.state.log_history[history:]
            vars(trainer.control).update(flags)
        return _metrics(metrics)

    def _show_early_stopping(self, callback: Any, args: Any, state: Any, metrics: Any) -> None:
        assert self.tended is not None
        name = args.metric_for_best_model
        value = metrics.get(name if name.startswith("eval_") else f"eval_{name}", math.nan)
        # The Trainer updates its best value after this event.
        new = callback.early_stopping_patience_counter == 0
        best = value if new or state.best_metric is None else state.best_metric
        step = state.global_step if new or state.best_global_step is None else state.best_global_step
        self.tended.early_stopping(
            name.removeprefix("eval_"), best, step, callback.early_stopping_patience_counter,
            callback.early_stopping_patience,
        )  # fmt: skip


def tend(
    trainer: Any,
    *,
    name: str | None = None,
    runs: str | os.PathLike[str] = "runs",
    resume: Resume = "never",
    config: Mapping[str, Any] | None = None,
    exact: bool = False,
) -> Any:
    """Make a run of each `trainer.train()`, and return the trainer; the other arguments are those of `stoker.Run`.

    With `exact` random draws of the training data and of the collator depend on (seed, epoch, batch) alone, so that a
    resume is bitwise with them too; the data needs a length and `__getitem__`.

    Besides what StokerCallback does, a person can save and evaluate at any time, paused too, without changing the run;
    the counter of early stopping is shown; and a run that is resumed goes on from its newest complete checkpoint.
    """
    if not isinstance(trainer, Trainer):
        raise TypeError(f"stoker.tend() needs a transformers.Trainer, not a {type(trainer).__name__}")
    callback = StokerCallback(name=name, runs=runs, resume=resume, config=config)
    callback.trainer = trainer
    trainer.add_callback(callback)
    if exact:
        # The Trainer drops columns that the model does not take, from a data set of a kind that it knows.
        collate = trainer._get_collator_with_removed_columns(trainer.data_collator, description="training")
        callback.data = ExactData(trainer.train_dataset, collate, trainer.args.seed)
        trainer.train_dataset, trainer.data_collator = callback.data.dataset, callback.data.collate
    training_step, train = trainer.training_step, trainer.train

    def observed_step(*args: Any, **kwargs: Any) -> torch.Tensor:
        loss: torch.Tensor = training_step(*args, **kwargs)
        callback.add_loss(loss)
        return loss

    def observed_train(resume_from_checkpoint: Any = None, *args: Any, **kwargs: Any) -> Any:
        if resume_from_checkpoint is None:
            resume_from_checkpoint = callback.opening.checkpoint()
        try:
            return train(resume_from_checkpoint, *args, **kwargs)
        except BaseException as error:
            if callback.tended is not None:
                callback.tended.script_ended(error)
                callback.tended = None
            raise

    trainer.training_step, trainer.train = observed_step, observed_train
    return trainer


def _metrics(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics without the Trainer's prefix, and without times and speeds."""
    named = {name.removeprefix("eval_"): value for name, value in metrics.items()}
    return {k: float(v) for k, v in named.items() if isinstance(v, int | float) and not k.endswith(NOT_METRICS)}
