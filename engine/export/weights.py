"""Write a checkpoint's model for other programs: the parameters alone, or the whole module."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from ..checkpoints import files as checkpoint_files
from ..checkpoints.compatibility import load_model
from ..checkpoints.lookup import find_checkpoint
from ..errors import RequestError
from ..files import atomic_file
from ..runs.folder import RunFolder
from ..tasks.building import build_task
from ..tasks.user_errors import one_line

WHOLE_MODULE = "model.pt"


def export(folder: RunFolder, which: str | None, target: Path) -> str:
    """Write the model of the checkpoint `which` (see `find_checkpoint`) to `target`, and return what was written.

    `*.safetensors` holds parameters and buffers by name. `*.pt` holds the same as a state dict for
    `torch.load(weights_only=True)`. `model.pt` holds the whole module in evaluation mode: a pickle that needs the task's
    code. Raises RequestError where the format cannot hold the model, OSError where `target` cannot be written.
    """
    with atomic_file(target) as file:
        path = find_checkpoint(folder, which)
        weights = checkpoint_files.read(path)["model"]
        if target.suffix == ".safetensors":
            _write_safetensors(weights, file)
        elif target.name == WHOLE_MODULE:
            _write_module(folder, weights, file)
            return f"{path.name}: the whole model"
        else:
            torch.save(weights, file)
        return f"{path.name}: its parameters alone"


def _write_safetensors(weights: Mapping[str, Any], file: BinaryIO) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save

    try:
        content = save(_without_shared_memory(weights))
    except (SafetensorError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise RequestError(f"safetensors cannot hold this model, weights.pt can: {one_line(error)}") from error
    file.write(content)


def _without_shared_memory(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors that share no memory, as safetensors demands; tied ones are copied."""
    found, taken = {}, set[int]()
    for name, tensor in weights.items():
        memory = tensor.untyped_storage().data_ptr()
        found[name] = tensor.clone().contiguous() if memory in taken else tensor.contiguous()
        taken.add(memory)
    return found


def _write_module(folder: RunFolder, weights: dict[str, Any], file: BinaryIO) -> None:
    record = folder.record()
    if record.task.endswith(".py"):
        raise RequestError(
            f"{WHOLE_MODULE} needs the class of the model, which only the script {record.task} has: export weights.pt, or"
            " torch.save(model) in the script"
        )
    task, _, _ = build_task(record)
    load_model(task.model, weights)
    # A whole model is exported for inference, so turn dropout off. This task was built for the export alone.
    model = task.model.eval()
    try:
        torch.save(model, file)
    except OSError:
        raise
    except Exception as error:  # the task's objects may have pickling code, which can raise anything
        raise RequestError(f"the model cannot be written whole, weights.pt can: {one_line(error)}") from error
