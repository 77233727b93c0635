"""Task: what to train. A user's function returns one; its annotated parameters are the run's parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torchmetrics import Metric


@dataclass
class Task:
    """A model, its data and its loss, and defaults for how to train them.

    Data is a `TensorDataset`, a tuple of tensors (inputs (N, …), targets (N, …)), any `Dataset`, an
    `IterableDataset`, or a `DataLoader`. In-memory tensors are held on the device and batched there.
    """

    model: nn.Module
    """What is trained."""
    train: Any
    """Training data; all the data there is where `split` divides it."""
    loss: Callable[..., Tensor] | None = None
    """`loss(outputs, targets)`, a scalar; not needed with a `step` of one's own."""
    test: Any = None
    """Evaluation data, or None to split it off `train`."""
    val: Any = None
    """Validation data: with it, decisions are made on it and `test` is evaluated at the end alone."""
    metrics: Sequence[str] | Mapping[str, Metric] = ()
    """Names such as `accuracy`, or torchmetrics objects by name, updated with (outputs, targets)."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Defaults for this task's settings: `{"epochs": 20, "lr": 0.001}`."""
    prepare: Callable[[tuple[Tensor, ...]], Callable[[tuple[Tensor, ...]], tuple[Tensor, ...]]] | None = None
    """Learns a transform of in-memory tensors from the training part alone; it is applied to every part."""
    augment: Callable[[Tensor], Tensor] | None = None
    """Changes a training batch's inputs at random, from torch's, numpy's or python's global generators."""
    step: Callable[[nn.Module, Any], Tensor] | None = None
    """A training step of one's own: `step(model, batch)` returns the loss, (), of the batch."""
    evaluate: Callable[[nn.Module, Any], Any] | None = None
    """The same for evaluation: `evaluate(model, batch)` returns (loss, outputs, targets)."""
    collate: Callable[[list[Any]], Any] | None = None
    """Builds a batch of a `Dataset`'s items; torch's default where None."""
    loader: Mapping[str, Any] = field(default_factory=dict)
    """More options of the DataLoader, such as `pin_memory`."""
    optimizer: Callable[[nn.Module, float], torch.optim.Optimizer] | None = None
    """`optimizer(model, lr)`, where the settings' optimizer is not enough."""
    classes: Sequence[str] = ()
    """Names of the classes, for tables of results."""
    note: str = ""
    """Something about the data that a person must know; said when the run starts."""
