"""A checkpoint's model for other programs: parameters alone, or the model whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from ..checkpoints import files as checkpoint
from ..errors import RequestError
from ..files import whole_file
from ..runs.folder import RunFolder
from ..session import locate
from ..tasks.building import build
from ..tasks.loading import describe
from ..training import state

WHOLE = "model.pt"


def source(folder: RunFolder, which: str | None) -> Path:
    """Return the file of `best`, `latest` or a path; None is best where there is one. Raises CheckpointError."""
    if which is None:
        which = "best" if (folder.checkpoints / checkpoint.BEST).exists() else "latest"
    return locate(folder, which)


def export(folder: RunFolder, which: str | None, target: Path) -> str:
    """Write the model of a checkpoint, as `source` finds it, to `target`, and say of which, and what of it.

    `*.safetensors` holds parameters and buffers by name; `*.pt` the same as a state dict for
    `torch.load(weights_only=True)`, but a file named `model.pt` the whole module in evaluation mode, a pickle that
    needs the task's code. Raises RequestError for what the format cannot hold, OSError for what cannot be written.
    """
    with whole_file(target) as file:
        path = source(folder, which)
        weights = checkpoint.read(path)["model"]
        if target.suffix == ".safetensors":
            _tensors(weights, file)
        elif target.name == WHOLE:
            _module(folder, weights, file)
            return f"{path.name}: the whole model"
        else:
            torch.save(weights, file)
        return f"{path.name}: its parameters alone"


def _tensors(weights: Mapping[str, Any], file: BinaryIO) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save

    try:
        content = save(_apart(weights))
    except (SafetensorError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise RequestError(f"safetensors cannot hold this model, weights.pt can: {describe(error)}") from error
    file.write(content)


def _apart(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors of which none shares memory with another, as the format demands; tied ones are copied."""
    found, taken = {}, set[int]()
    for name, tensor in weights.items():
        memory = tensor.untyped_storage().data_ptr()
        found[name] = tensor.clone().contiguous() if memory in taken else tensor.contiguous()
        taken.add(memory)
    return found


def _module(folder: RunFolder, weights: dict[str, Any], file: BinaryIO) -> None:
    task, _, _ = build(folder.record())
    state.load_model(task.model, weights)
    # Whoever loads it wants answers: dropout off. The task was built for this alone.
    model = task.model.eval()
    try:
        torch.save(model, file)
    except OSError:
        raise
    except Exception as error:  # the task's own objects are pickled, by code of their own
        raise RequestError(f"the model cannot be written whole, weights.pt can: {describe(error)}") from error
