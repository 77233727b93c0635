"""What a user's loop has reached: all that its checkpoint holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from ..checkpoints.compatibility import environment_changes
from ..checkpoints.schema import FORMAT
from ..data.batches import Batches, batch_count
from ..environment import versions
from ..training.progress import Clock, Progress
from .draws import Draws
from .evaluation import LoopEvaluation
from .live_rate import LiveRate
from .parts import Parts


@dataclass
class LoopState:
    """The parts, the position and the data of a loop; the same fields are saved and loaded."""

    device: torch.device
    settings: dict[str, Any]
    parts: Parts
    evaluation: LoopEvaluation
    rate: LiveRate
    progress: Progress = field(default_factory=Progress)
    user_state: dict[str, Any] = field(default_factory=dict)
    """`run.state`: plain data and tensors of the user's own."""
    batches: Batches | None = None
    batches_per_epoch: int | None = None
    rows: int | None = None
    """Length of the loader's data set."""
    resumed_from: int | None = None
    """The step of the checkpoint that the loop continues from."""
    _saved_loader: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        """Start with a clock that stands still, and generators that are seeded by the position."""
        self.clock = Clock(self.progress)
        self.draws = Draws(self.settings["seed"], self.device)

    @property
    def position(self) -> dict[str, Any]:
        """`step` and `epoch`, as an event carries them."""
        return self.progress.position

    def use(self, batches: Batches, rows: int | None) -> str | None:
        """Take a loader's batches, with the state that a checkpoint has of them; return how the data changed, if it did.

        `rows` is the length of its data set, or None.
        """
        if self.batches is not None:
            self.batches.close()
        count = batch_count(batches)
        self.batches, self.batches_per_epoch, self.rows = batches, count, rows
        saved, self._saved_loader = self._saved_loader, None
        if saved is None:
            return None
        if saved["state"] is not None:
            batches.restore(saved["state"])
        if saved["batches"] != count:
            return f"{saved['batches']} → {count} batches"
        # Checkpoints of older versions do not tell the rows.
        before = saved.get("rows", rows)
        return None if before == rows else f"{before} → {rows} rows"

    def state_dict(self) -> dict[str, Any]:
        """Return the complete state. Its tensors are those of the training: copy them before the next step."""
        self.clock.read()
        stopping = self.evaluation.early_stopping
        loader = self._saved_loader
        if self.batches is not None:
            loader = {"batches": batch_count(self.batches), "rows": self.rows, "state": self.batches.state()}
        return {
            **self.parts.state_dict(),
            "format": FORMAT,
            "progress": self.progress.state_dict(),
            "early_stopping": stopping.state_dict(),
            "best": {"monitor": stopping.monitor, "value": stopping.best, "step": stopping.best_step},
            "metrics": dict(self.evaluation.metrics),
            "settings": dict(self.settings),
            "environment": self._environment(),
            "loader": loader,
            "state": self.user_state,
            "lr_scale": self.rate.scale,
            "draws": self.draws.state(),
            "folds": [],
        }

    def load_state_dict(self, saved: dict[str, Any]) -> list[str]:
        """Continue from a checkpoint, and return what changed in the environment since.

        Raises CheckpointError where a part does not fit.
        """
        self.parts.load_state_dict(saved)
        self.progress.load_state_dict(saved["progress"])
        self.evaluation.early_stopping.load_state_dict(saved["early_stopping"])
        self.evaluation.metrics = dict(saved["metrics"])
        self.user_state.update(saved["state"])
        self.rate.scale = saved.get("lr_scale", 1.0)
        self.draws.resume(saved.get("draws"))
        self._saved_loader, self.resumed_from = saved["loader"], self.progress.step
        return environment_changes(saved["environment"], self._environment())

    def _environment(self) -> dict[str, Any]:
        return {**versions(), "threads": torch.get_num_threads(), "device": self.device.type}
