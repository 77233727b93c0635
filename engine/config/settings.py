"""The settings of a training, checked when created. A task gives defaults, and the command line overrides them.

This class is the only list of settings: the command line, its help and the documentation are made from it.
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

import msgspec

from ..errors import SettingError
from .fields import (
    check_device,
    check_eval_every,
    check_optimizer,
    check_positive,
    check_save_every,
    check_scheduler,
    check_seed,
    check_share,
    check_value,
    check_workers,
    flag,
    setting,
)
from .scheduler_table import SCHEDULERS
from .specs import Spec

Precision = Literal["fp32", "bf16", "fp16"]
OnNan = Literal["pause", "stop", "ignore"]


@dataclass(frozen=True)
class Settings:
    """All settings of a training, apart from the task itself.

    Raises SettingError for a value outside its range. The help text of each field is its documentation.
    """

    epochs: int = setting(10, "Number of passes over the training data.", minimum=1)
    batch_size: int | None = setting(32, "Samples per batch; 'none' trains on all data at once, unshuffled.", minimum=1)
    lr: float = setting(0.01, "Learning rate at the start, before any schedule.", metavar="X", check=check_positive)
    optimizer: str = setting(
        "sgd",
        "sgd, adam, adamw or another class of torch.optim, with options: sgd:momentum=0.9,weight_decay=0.0001",
        metavar="SPEC",
        check=check_optimizer,
    )
    scheduler: str = setting(
        "none",
        f"Learning-rate schedule: none, {', '.join(row.example for row in SCHEDULERS)}, warmup:steps=500+cosine",
        metavar="SPEC",
        check=check_scheduler,
    )
    seed: int = setting(
        42,
        "Seed of all randomness: initial weights, order, augmentation, dropout, splits.",
        minimum=0,
        check=check_seed,
    )
    split: str | None = setting(
        None,
        "Hold out data for evaluation: holdout:0.2, kfold:5 or bootstrap:3; 'none' uses the task's own test data.",
        metavar="SPEC",
    )
    monitor: str = setting(
        "loss", "Metric that selects the best checkpoint and controls early stopping.", metavar="METRIC"
    )
    patience: int | None = setting(
        None, "Stop after this many evaluations without improvement; 'none' never stops early.", minimum=1
    )
    eval_every: str = setting(
        "1epochs", "How often to evaluate: 1epochs, 500steps", metavar="N{epochs|steps}", check=check_eval_every
    )
    save_every: str | None = setting(
        None,
        "How often to save latest.pt: 1epochs, 500steps, 30s, 5min; by default every 5 minutes, and after an epoch if"
        " the last save is older than a minute.",
        metavar="N{epochs|steps|s|min}",
        check=check_save_every,
    )
    keep: int = setting(0, "Number of numbered checkpoints to keep beside latest.pt and best.pt.", minimum=0)
    device: str = setting(
        "auto",
        "cpu, cuda, cuda:1, mps, or auto for the first of cuda, mps and cpu that is available; of several GPUs auto takes"
        " the one with the most free memory.",
        metavar="NAME",
        check=check_device,
    )
    precision: Precision = setting(  # noqa: RUF009 - a field
        "fp32",
        "Arithmetic of the forward pass: fp32, or bf16 or fp16 by autocast; fp16 with a gradient scaler.",
        metavar="NAME",
        choices=get_args(Precision),
    )
    threads: int | None = setting(
        None,
        "CPU threads of torch; by default torch's own number, or 1 for a tiny model. Another number can change the last"
        " bits of the results.",
        minimum=1,
    )
    data: str | None = setting(
        None,
        "Folder of the data sets, also for downloads; by default $STOKER_DATA, or ~/.cache/stoker/data.",
        metavar="DIR",
    )
    workers: int = setting(0, "Number of DataLoader worker processes.", minimum=0, check=check_workers)
    accumulate: int = setting(1, "Batches whose gradients are averaged into one optimizer step.", minimum=1)
    clip: float | None = setting(
        None, "Largest gradient norm; gradients above it are scaled down to it.", metavar="X", check=check_positive
    )
    label_smoothing: float = setting(
        0.0, "Label smoothing of a cross-entropy loss, from 0 to below 1.", metavar="X", check=check_share
    )
    channels_last: bool = setting(False, "Store images and convolutions in channels-last memory format.")
    compile: bool = setting(False, "Compile the model with torch.compile.")
    deterministic: bool = setting(
        True, "On a GPU, use deterministic algorithms, so that a resumed run is exact; without them it may be faster."
    )
    on_nan: OnNan = setting(  # noqa: RUF009 - a field
        "pause",
        "What to do when the loss is not finite: pause, stop or ignore.",
        metavar="POLICY",
        choices=get_args(OnNan),
    )

    def __post_init__(self) -> None:
        """Check every value. Raises SettingError."""
        for field in dataclasses.fields(self):
            check_value(field.name, getattr(self, field.name), field.metadata)

    @classmethod
    def of(cls, *layers: dict[str, Any]) -> Settings:
        """Build settings from layers of names and values, where later layers win; texts are converted.

        Raises SettingError for an unknown name or a wrong value.
        """
        values: dict[str, Any] = {}
        hints = setting_types()
        choices = {field.name for field in dataclasses.fields(cls) if field.metadata["choices"]}
        for layer in layers:
            for name, value in layer.items():
                if name not in hints:
                    raise SettingError(f"there is no setting {name!r}: choose from {', '.join(hints)}")
                try:
                    # Choices are checked in __post_init__, whose message names them.
                    kind = str if name in choices else hints[name]
                    values[name] = msgspec.convert(value, kind, strict=False)
                except msgspec.ValidationError as error:
                    raise SettingError(f"{flag(name)} {value!r}: {str(error).lower()}") from error
        return cls(**values)

    @property
    def folds(self) -> int:
        """Number of models that the split trains: K of `kfold:K` or `bootstrap:K`, else 1."""
        if self.split is None:
            return 1
        spec = Spec.parse(self.split)
        count = spec.options.get("", spec.options.get("size", 5))
        # At least one: the split itself refuses a wrong number, with the sizes that are possible.
        return max(1, count) if spec.name in ("kfold", "bootstrap") and isinstance(count, int) else 1

    def asdict(self) -> dict[str, Any]:
        """Return the settings as plain data, by name."""
        return dataclasses.asdict(self)


@functools.cache
def setting_types() -> dict[str, Any]:
    """Return the type of each setting by name."""
    return get_type_hints(Settings)
