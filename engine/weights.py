"""A checkpoint's model for other programs: parameters alone, or the model whole."""

from __future__ import annotations

from pathlib import Path

import torch

from . import checkpoint, state
from .building import build
from .runs import RunFolder
from .session import locate

FORMS = ("weights.safetensors", "weights.pt", "model.pt")


def export(folder: RunFolder, which: str | None, target: Path) -> Path:
    """Write the model of a checkpoint (`best`, `latest` or a path; None is best where there is one) to `target`.

    `*.safetensors` holds parameters and buffers by name; `weights.pt` the same as a state dict for
    `torch.load(weights_only=True)`; `model.pt` the whole module, a pickle that needs the task's code.
    Raises RequestError.
    """
    if which is None:
        which = "best" if (folder.checkpoints / checkpoint.BEST).exists() else "latest"
    source = locate(folder, which)
    weights = checkpoint.read(source)["model"]
    if target.suffix == ".safetensors":
        from safetensors.torch import save_file

        # Tied parameters share memory, which the format refuses: each gets its own.
        save_file({name: tensor.clone().contiguous() for name, tensor in weights.items()}, target)
    elif target.name.startswith("model"):
        task, _, _ = build(folder.record())
        state.load_model(task.model, weights)
        torch.save(task.model, target)
    else:
        torch.save(weights, target)
    return source
