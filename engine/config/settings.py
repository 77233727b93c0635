"""How to train: every setting, checked when it is created. A task gives defaults, the command line overrides them."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

import msgspec

from ..errors import SettingError
from .specs import Every, Spec

Precision = Literal["fp32", "bf16", "fp16"]
OnNan = Literal["pause", "stop", "ignore"]
CHOICES = {"precision": Precision, "on_nan": OnNan}
MOST = 10**10  # of whatever is counted: more is a slip of the hand
DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


@dataclass(frozen=True)
class Settings:
    """Everything that decides how a task is trained, apart from the task itself."""

    epochs: int = 10
    """How many times the training data is gone through."""
    batch_size: int | None = 32
    """Samples in a batch; None is all of them at once, in their own order."""
    lr: float = 0.01
    """Learning rate at the start, before any schedule."""
    optimizer: str = "sgd"
    """`sgd`, `adam`, `adamw` or any class of torch.optim, with options: `sgd:momentum=0.9,weight_decay=0.0001`."""
    scheduler: str = "none"
    """`none`, `step:size=5,gamma=0.5`, `cosine`, `plateau:factor=0.5`, `onecycle`, `warmup:steps=500+cosine`."""
    seed: int = 42
    """Where all randomness comes from: initial weights, order, augmentation, dropout, splits."""
    split: str | None = None
    """`holdout:0.2`, `kfold:5` or `bootstrap:3`; None takes the task's own evaluation set."""
    monitor: str = "loss"
    """The evaluated metric that decides what is best, and when to stop early."""
    patience: int | None = None
    """Evaluations without a better value before the training stops; None never stops early."""
    eval_every: str = "1epochs"
    """How often to evaluate: `1epochs`, `500steps`."""
    save_every: str | None = None
    """How often to save `latest`; None: every 5 minutes, and after an epoch if the last save is older than a minute."""
    keep: int = 0
    """How many numbered checkpoints to keep beside `latest` and `best`."""
    device: str = "auto"
    """`cpu`, `cuda`, `cuda:1`, `mps`, or `auto` for the first of cuda, mps and cpu that is there."""
    precision: Precision = "fp32"
    """Arithmetic of the forward pass: `bf16` and `fp16` by autocast, `fp16` with a gradient scaler."""
    threads: int | None = None
    """torch's CPU threads; None is torch's default, or one for a tiny model. Recorded: it can change the last bits."""
    data: str | None = None
    """The folder that a built-in task reads its data from; None: $STOKER_DATA, or ~/.cache/stoker/data."""
    workers: int = 0
    """DataLoader worker processes."""
    accumulate: int = 1
    """Batches whose gradients are averaged into one optimizer step."""
    clip: float | None = None
    """Largest gradient norm; larger ones are scaled down to it."""
    label_smoothing: float = 0.0
    """Label smoothing of a cross-entropy loss, 0 to 1."""
    channels_last: bool = False
    """Keep images and convolutions in channels-last memory format."""
    compile: bool = False
    """Compile the model with torch.compile."""
    on_nan: OnNan = "pause"
    """What to do when the loss is not finite: `pause`, `stop` or `ignore`."""

    def __post_init__(self) -> None:
        """Refuse values outside their range. Raises SettingError."""
        for name, least in (("epochs", 1), ("batch_size", 1), ("patience", 1), ("threads", 1), ("accumulate", 1)):
            _require(name, getattr(self, name), least)
        for name in ("seed", "keep", "workers"):
            _require(name, getattr(self, name), 0)
        if self.seed >= 2**32:
            raise SettingError(f"--seed must be below 2**32, numpy's largest, not {self.seed}")
        for name in ("lr", "clip"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise SettingError(f"{flag(name)} must be a number above 0, not {value}")
        if not 0 <= self.label_smoothing < 1:
            raise SettingError(f"--label-smoothing must be at least 0 and below 1, not {self.label_smoothing}")
        if not DEVICE.fullmatch(self.device):
            raise SettingError(f"--device must be cpu, cuda, cuda:N, mps or auto, not {self.device!r}")
        for name, kind in CHOICES.items():
            if getattr(self, name) not in get_args(kind):
                raise SettingError(f"{flag(name)} must be {choices(get_args(kind))}, not {getattr(self, name)!r}")
        Every.parse(self.eval_every, what="--eval-every")
        if self.save_every is not None:
            Every.parse(self.save_every, what="--save-every", time=True)
        Spec.parse(self.optimizer)
        for part in self.scheduler.split("+"):
            Spec.parse(part)

    @classmethod
    def of(cls, *layers: dict[str, Any]) -> Settings:
        """Build settings from layers of names and values, later ones first. Raises SettingError."""
        values: dict[str, Any] = {}
        hints = get_type_hints(cls)
        for layer in layers:
            for name, value in layer.items():
                if name not in hints:
                    raise SettingError(f"there is no setting {name!r}; there are {', '.join(hints)}")
                try:
                    # A choice is looked at when all are there, where its choices are named.
                    kind = str if name in CHOICES else hints[name]
                    values[name] = msgspec.convert(value, kind, strict=False)
                except msgspec.ValidationError as error:
                    raise SettingError(f"{flag(name)} {value!r}: {str(error).lower()}") from error
        return cls(**values)

    @property
    def folds(self) -> int:
        """How many models the split trains."""
        if self.split is None:
            return 1
        spec = Spec.parse(self.split)
        count = spec.options.get("", spec.options.get("size", 5))
        return count if spec.name in ("kfold", "bootstrap") and isinstance(count, int) else 1

    def asdict(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        return dataclasses.asdict(self)


def choices(values: Sequence[Any]) -> str:
    """Return what there is to choose from as people say it: `a, b or c`."""
    *most, last = map(str, values)
    return f"{', '.join(most)} or {last}" if most else last


def flag(name: str) -> str:
    """Return a setting's name as it stands on the command line."""
    return "--" + name.replace("_", "-")


def _require(name: str, value: int | None, least: int) -> None:
    if value is not None and value < least:
        raise SettingError(f"{flag(name)} must be at least {least}, not {value}")
    if value is not None and value > MOST:
        raise SettingError(f"{flag(name)} must be at most {MOST:,}")
