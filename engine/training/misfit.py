"""Say where a model, its loss and its data do not fit: by the shapes and types of one batch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._pytree import tree_leaves

from ..data.batches import call_model, split_batch
from ..evaluation.preserve import Preserved
from ..tasks.task import Task
from .trainer import Trainer

ELEMENTWISE = (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss, functional.mse_loss, functional.l1_loss)
CLASSES = (nn.CrossEntropyLoss, nn.NLLLoss, functional.cross_entropy, functional.nll_loss)
BINARY = (nn.BCEWithLogitsLoss, nn.BCELoss, functional.binary_cross_entropy_with_logits)


def explained(trainer: Trainer, error: BaseException) -> str:
    """Return what does not fit as the end of an error message; empty where the error is not of the first batch."""
    progress = trainer.state.progress
    if progress.step or progress.batch or not isinstance(error, RuntimeError | ValueError | TypeError | IndexError):
        return ""
    if trainer.state.batches.state() is not None:
        return ""  # a source with a place of its own: reading on would move it
    with contextlib.suppress(Exception):  # the batch may fail in any way: then the error itself is all that is known
        with contextlib.closing(trainer.state.batches.epoch(progress.epoch)) as batches:  # type: ignore[type-var]
            found = explain(trainer.task, trainer.state.model, next(batches), torchs_alone=True)
        return f": {found}" if found else ""
    return ""


def explain(task: Task, model: nn.Module, batch: Any, *, torchs_alone: bool = False) -> str | None:
    """Return in one line where a training batch does not fit the model or the loss; None if it fits.

    With a `step` of the task's own only the batch is described. The model does not change. With `torchs_alone` a line is
    returned only where a layer or a loss of torch fails, or a type: an error of the user's own code says enough.
    """
    if task.step is not None:
        return None if torchs_alone else f"the batch is {describe(batch)}"
    inputs, targets = split_batch(batch, "step")
    kept, innermost = Preserved(model, task.loss), _Innermost(model)
    kept.take()
    try:
        with torch.no_grad():
            with innermost:
                outputs = call_model(model, inputs)
            try:
                assert task.loss is not None
                task.loss(outputs, targets)
            except Exception as error:  # the user's loss may raise anything
                if torchs_alone and not str(getattr(task.loss, "__module__", "")).startswith("torch.nn"):
                    return None
                return _loss_misfit(task.loss, outputs, targets, _line(error))
    except Exception as error:  # the user's model may raise anything
        hint = _input_hint(model, inputs)
        if torchs_alone and not (hint or innermost.is_torchs()):
            return None
        return f"{hint}{innermost.where()} got {innermost.got()}" + ("" if torchs_alone else f" ({_line(error)})")
    finally:
        kept.put_back()
    return broadcast(task.loss, outputs, targets)


def broadcast(loss: Any, outputs: Any, targets: Any) -> str | None:
    """Return a line where an elementwise loss compares each output with every target, which raises no error."""
    if not (_is(loss, ELEMENTWISE) and isinstance(outputs, Tensor) and isinstance(targets, Tensor)):
        return None
    if outputs.shape == targets.shape or outputs.numel() <= 1 or targets.numel() <= 1:
        return None
    shape = tuple((outputs.detach() - targets).shape)
    return (
        f"outputs {describe(outputs)} and targets {describe(targets)} are broadcast to {shape}, so each output is"
        " compared with every target: give both one shape, as with outputs.squeeze(-1)"
    )


def describe(value: Any) -> str:
    """Return the types and shapes of a batch: `float32 (32, 784) and int64 (32,)`."""
    leaves = tree_leaves(value)
    found = [
        f"{str(leaf.dtype).removeprefix('torch.')} {tuple(leaf.shape)}" if isinstance(leaf, Tensor) else _kind(leaf)
        for leaf in leaves[:4]
    ]
    return " and ".join(found) + (f" and {len(leaves) - 4} more" if len(leaves) > 4 else "")


class _Innermost:
    """Follows the calls of a model's modules, and knows the innermost one that did not return."""

    def __init__(self, model: nn.Module) -> None:
        self._names = {id(module): name for name, module in model.named_modules()}
        self._open: list[tuple[nn.Module, Any]] = []

    def __enter__(self) -> None:
        self._handles = [
            register_module_forward_pre_hook(lambda module, inputs: self._open.append((module, inputs))),
            register_module_forward_hook(self._leave),
        ]

    def _leave(self, *_: object) -> None:
        self._open.pop()

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def where(self) -> str:
        if not self._open:
            return "the model"
        module = self._open[-1][0]
        name = self._names.get(id(module), "")
        return f"`{name}` ({type(module).__name__})" if name else f"the model ({type(module).__name__})"

    def is_torchs(self) -> bool:
        return bool(self._open) and type(self._open[-1][0]).__module__.startswith("torch.nn.")

    def got(self) -> str:
        return describe(self._open[-1][1]) if self._open else "the batch"


def _loss_misfit(loss: Any, outputs: Any, targets: Any, line: str) -> str:
    name = type(loss).__name__ if isinstance(loss, nn.Module) else getattr(loss, "__name__", type(loss).__name__)
    shown = f"the loss {name} does not fit: outputs {describe(outputs)}, targets {describe(targets)}"
    hint = next(_loss_hints(loss, outputs, targets), line) if _both_tensors(outputs, targets) else line
    return f"{shown}: {hint}"


def _loss_hints(loss: Any, outputs: Tensor, targets: Tensor) -> Iterator[str]:
    """Yield what to write instead, for mistakes that are often made."""
    if _is(loss, CLASSES) and outputs.dim() > 1:
        if targets.dim() == outputs.dim() and targets.shape[1] == 1:
            yield "class numbers have no dimension of their own: write targets.squeeze(1)"
        elif targets.dim() == outputs.dim() - 1 and targets.is_floating_point():
            yield "class numbers must be int64: write targets.long()"
        elif targets.numel() and not targets.is_floating_point():
            low, high = int(targets.min()), int(targets.max())
            if low < 0 or high >= outputs.shape[1]:
                yield f"targets go from {low} to {high}, but classes count from 0 to {outputs.shape[1] - 1}"
    if _is(loss, BINARY):
        if not targets.is_floating_point():
            yield "targets must be numbers from 0 to 1: write targets.float()"
        elif outputs.shape != targets.shape:
            yield "outputs and targets must have one shape, as with outputs.squeeze(-1)"


def _input_hint(model: nn.Module, inputs: Any) -> str:
    own = next((p.dtype for p in model.parameters()), None)
    first = next((leaf for leaf in tree_leaves(inputs) if isinstance(leaf, Tensor)), None)
    if own is None or first is None or first.dtype == own or not first.is_floating_point():
        return ""
    return f"inputs are {str(first.dtype)[6:]} and the parameters {str(own)[6:]}: write inputs.to({own}); "


def _is(loss: Any, kinds: tuple[Any, ...]) -> bool:
    return any(isinstance(loss, kind) if isinstance(kind, type) else loss is kind for kind in kinds)


def _both_tensors(*values: Any) -> bool:
    return all(isinstance(value, Tensor) for value in values)


def _kind(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
