"""Task: a model, its data and its loss. A user's function returns one; the function's parameters are those of the run."""

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

    Data (`train`, `test`, `val`) is a `TensorDataset`, a tuple of tensors (inputs (N, …), targets (N, …)), a map-style
    `Dataset`, an `IterableDataset`, or a `DataLoader`. Tensors in memory are kept on the device and batched there.
    A batch is (inputs, targets). The model is called with the inputs; a tuple or list of inputs becomes its positional
    arguments, a dict its keyword arguments. Batches of any other form need `step` and `evaluate`.

    Errors in a task are reported when the run starts: a TaskError says what to write instead.
    """

    model: nn.Module
    """The model to train, on the CPU."""
    train: Any
    """Training data; with the setting `split` all of the data."""
    loss: Callable[..., Tensor] | None = None
    """`loss(outputs, targets)` returns the mean loss of the batch, a tensor of one number. Optional with `step`."""
    test: Any = None
    """Test data. Without `test` and `val` a fifth of `train` is held out."""
    val: Any = None
    """Validation data. With it, early stopping and the best checkpoint depend on `val`; `test` is evaluated once, at the
    end."""
    metrics: Sequence[str] | Mapping[str, Metric] = ()
    """Names such as `accuracy`, `f1_macro`, `top_5`, `rmse`, or torchmetrics objects by name, which are updated with
    (outputs, targets)."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """This task's default settings: `{"epochs": 20, "lr": 0.001}`. The command line overrides them."""
    prepare: Callable[[tuple[Tensor, ...]], Callable[[tuple[Tensor, ...]], tuple[Tensor, ...]]] | None = None
    """`prepare(training_tensors)` returns a function that transforms the tensors of each part, such as a scaling that is
    learned from the training part alone. Only for tensors in memory."""
    augment: Callable[[Tensor], Tensor] | None = None
    """`augment(inputs)` returns changed inputs (N, …) of a training batch, on the device. It may draw from the global
    generators of torch, numpy and Python, which are seeded for each batch."""
    step: Callable[[nn.Module, Any], Tensor] | None = None
    """`step(model, batch)` returns the training loss of the batch, a tensor of one number, instead of `loss`."""
    evaluate: Callable[[nn.Module, Any], Any] | None = None
    """`evaluate(model, batch)` returns (loss, outputs, targets) of an evaluation batch, instead of `loss`. The loss is
    the mean over the batch; outputs and targets go to the metrics."""
    collate: Callable[[list[Any]], Any] | None = None
    """`collate(items)` returns a batch of a `Dataset`'s items; by default torch's own."""
    loader: Mapping[str, Any] = field(default_factory=dict)
    """More options of the DataLoader, such as `pin_memory`."""
    optimizer: Callable[[nn.Module, float], torch.optim.Optimizer] | None = None
    """`optimizer(model, lr)` returns the optimizer, instead of the setting `optimizer`."""
    state: Mapping[str, Any] = field(default_factory=dict)
    """Objects of your own that change while the task trains, by name: they are saved in each checkpoint and restored on
    resume. An object with `state_dict` and `load_state_dict` (an EMA, a second optimizer, a scheduler), a dict of plain
    data and tensors, a tensor, a `torch.Generator` or a `numpy.random.Generator`; the last four are updated in place.
    They are never moved between devices."""
    classes: Sequence[str] = ()
    """Names of the classes, in the order of the model's outputs, for tables of results."""
    note: str = ""
    """A remark about the data, shown when the run starts."""
