"""Say why a training failed, and what to do about it."""

from __future__ import annotations

import contextlib
import traceback

import torch

from ..accelerator.memory import is_out_of_memory
from ..tasks.user_errors import one_line

ASSERTION = (
    "{}: CUDA cannot be used any more in this process. Start stoker again, or train with --background."
    " With `--device cpu` the error names its line; often it is a label outside the model's classes"
)


def failure_message(error: BaseException, device: torch.device) -> str:
    """Return in one line why the training on `device` ended with `error`, and what to do where that is known."""
    if is_out_of_memory(error):
        line = str(error).partition("\n")[0]
        return f"out of memory on {device}: use a smaller --batch-size with --accumulate ({line})"
    if device.type == "cuda" and "device-side assert" in str(error):
        return ASSERTION.format(one_line(error))
    return one_line(error)


def print_traceback() -> None:
    """Print the traceback of the current error. A stderr that cannot be written must not hide that error."""
    with contextlib.suppress(OSError, ValueError):
        traceback.print_exc()
