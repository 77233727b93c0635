"""`loss.backward()` without what torch looks at in Python first: 7 µs of the 90 that a very small model's step takes."""

from __future__ import annotations

from torch import Tensor, float32, ones
from torch.autograd import Variable

ONE = ones(())
_engine = getattr(Variable, "_execution_engine", None)


def backward(loss: Tensor) -> None:
    """Add the gradients of `loss` () to its leaves."""
    # The usual case alone; for any other, torch knows what has to be looked at.
    if _engine is None or type(loss) is not Tensor or loss.dtype is not float32 or loss.dim() or not loss.is_cpu:
        loss.backward()  # type: ignore[no-untyped-call]
    else:
        _engine.run_backward((loss,), (ONE,), False, False, (), allow_unreachable=True, accumulate_grad=True)
