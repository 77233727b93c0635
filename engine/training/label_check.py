"""Check the labels of data in memory before a GPU does: its own check ends every later use of CUDA in the process."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ..data.factory import in_memory
from ..errors import TaskError

LOSSES = (nn.CrossEntropyLoss, nn.NLLLoss)  # losses whose targets are numbers of classes


def check_labels(data: Any, loss: Any, outputs: Any) -> None:
    """Raise TaskError if `data`, tensors of which the last holds classes, has a class without a column in `outputs`.

    The outputs are (N, classes, …). Data or a loss of another kind is not checked.
    """
    tensors = in_memory(data)
    if tensors is None or not isinstance(loss, LOSSES) or not isinstance(outputs, Tensor) or outputs.dim() < 2:
        return
    labels = tensors[-1]
    if labels.is_floating_point():
        return  # probabilities
    labels = labels[labels != loss.ignore_index]
    classes = outputs.shape[1]
    extremes = (int(labels.min()), int(labels.max())) if len(labels) else ()
    for label in extremes:
        if not 0 <= label < classes:
            raise TaskError(
                f"the training data has the label {label}, but the model has {classes} outputs:"
                f" give labels from 0 to {classes - 1}"
            )
