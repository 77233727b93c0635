"""The settings as options of the command line; values are checked by Settings, so that there is one place for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from stoker.engine.config.settings import flag

F = TypeVar("F", bound=Callable[..., Any])

# (name, what to write, help) in the order of the help page.
SETTINGS = (
    ("epochs", "N", "Times the training data is gone through."),
    ("batch_size", "N", "Samples in a batch; 'none' is all at once."),
    ("lr", "X", "Learning rate."),
    ("optimizer", "SPEC", "sgd, adam, adamw, …; with options: sgd:momentum=0.9,weight_decay=0.0001"),
    ("scheduler", "SPEC", "none, step:size=5,gamma=0.5, cosine, plateau:patience=3, onecycle, warmup:steps=500+cosine"),
    ("seed", "N", "Where all randomness comes from."),
    ("split", "SPEC", "holdout:0.2, kfold:5 or bootstrap:3"),
    ("monitor", "METRIC", "The metric that decides what is best, and when to stop early."),
    ("patience", "N", "Evaluations without a better value before it stops; 'none' never stops early."),
    ("eval_every", "N{epochs|steps}", "How often to evaluate."),
    ("save_every", "N{epochs|steps|s|min}", "How often to save latest.pt."),
    ("keep", "N", "Numbered checkpoints to keep."),
    ("device", "NAME", "cpu, cuda, cuda:1, mps or auto"),
    ("precision", "NAME", "fp32, bf16 or fp16"),
    ("threads", "N", "torch's CPU threads."),
    ("workers", "N", "DataLoader worker processes."),
    ("accumulate", "N", "Batches averaged into one optimizer step."),
    ("clip", "X", "Largest gradient norm."),
    ("label_smoothing", "X", "Label smoothing of a cross-entropy loss."),
    ("data", "DIR", "Where data sets are, and are downloaded to."),
    ("on_nan", "POLICY", "pause, stop or ignore when the loss is not finite."),
)
FLAGS = (
    ("channels_last", "Channels-last memory format."),
    ("compile", "Compile the model with torch.compile."),
)


def settings(command: F) -> F:
    """Add an option for every setting; what is not given is None."""
    for name, text in reversed(FLAGS):
        # Both ways, because a task's own default may be either.
        command = click.option(f"{flag(name)}/--no-{flag(name)[2:]}", name, default=None, help=text)(command)
    for name, metavar, text in reversed(SETTINGS):
        command = click.option(flag(name), name, metavar=metavar, help=text)(command)
    return command


def given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the settings among the command's options that were given, 'none' as None."""
    names = [name for name, *_ in (*SETTINGS, *FLAGS)]
    found = {name: options[name] for name in names if options.get(name) is not None}
    if "data" in found:
        # A run can be resumed from another folder.
        found["data"] = str(Path(found["data"]).expanduser().resolve())
    return {name: None if value == "none" and name != "scheduler" else value for name, value in found.items()}
